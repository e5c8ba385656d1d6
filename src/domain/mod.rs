//! The words of the shop: types that cannot be wrong, parsed once at the edge and trusted from there on.
//!
//! No I/O, no clock, no randomness: whatever is decided here is decided from arguments alone.

pub mod cart;
pub mod fields;
pub mod goods;
pub mod id;
pub mod money;
pub mod notification;
pub mod order;
pub mod session;
pub mod time;
pub mod user;

pub use cart::{CartLine, Quantity};
pub use fields::{Field, FieldError, Fields, Invalid};
pub use goods::{
    Category, Goods, GoodsAction, GoodsEvent, GoodsName, GoodsPatch, NewGoods, Stock, ThumbnailUrl,
};
pub use id::{Epoch, GoodsId, Offset, OrderId, UserId};
pub use money::{Currency, Price};
pub use notification::{NicknameDisplay, Notification, Publication};
pub use order::{Basket, IdempotencyKey, Line, NewOrder, Order, OrderItem, OrderStatus};
pub use session::{LoginSession, SessionId, SessionSecret};
pub use time::Timestamp;
pub use user::{Email, NewUser, Nickname, Password, PasswordHash, Role, User, UserPatch};
