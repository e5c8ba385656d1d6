//! The words of the shop: types that cannot be wrong, parsed once at the edge and trusted from there on.
//!
//! No I/O, no clock, no randomness: whatever is decided here is decided from arguments alone.

pub mod cart;
pub mod chat;
pub mod delivery;
pub mod endpoint;
pub mod fields;
pub mod figures;
pub mod goods;
pub mod id;
pub mod language;
pub mod line;
pub mod listen_key;
pub mod listing;
pub mod money;
pub mod names;
pub mod notification;
pub mod number;
pub mod order;
pub mod password;
pub mod schema;
pub mod session;
pub mod source;
pub mod stock;
pub mod text;
pub mod time;
pub mod toasts;
pub mod trace;
pub mod user;

pub use cart::{CartLine, Quantity};
pub use chat::{NewReport, Report, ReportOutcome, Said, Speaker};
pub use delivery::{Attempt, AttemptRecord, Delivery, DeliveryStatus, NewsItem, Subject, Told};
pub use endpoint::{
    DisabledBy, Endpoint, EndpointPatch, EndpointSecret, EndpointUrl, NewEndpoint, Place, Topic, Topics,
};
pub use fields::{Field, FieldError, Fields, Invalid};
pub use figures::{Day, WidgetCounts};
pub use goods::{
    About, Goods, GoodsAction, GoodsEvent, GoodsKey, GoodsPatch, NewGoods, Stock, StockChange, StockReason,
};
pub use id::{
    AuditId, DeliveryId, EndpointId, Epoch, GoodsId, Offset, OrderId, ReportId, StockChangeId, UserId,
};
pub use language::Language;
pub use listen_key::{ListenKey, ListenKeyId, PageOrigin};
pub use listing::GoodsSort;
pub use money::{Currency, Price};
pub use names::{Category, Description, GoodsName, KeyName, PageUrl, Sku, SourceName, ThumbnailUrl};
pub use notification::{Elsewhere, Naming, NicknameDisplay, Notification, Publication};
pub use order::{
    Basket, IdempotencyKey, Line, NewOrder, Order, OrderItem, OrderOrigin, OrderRecord, OrderStatus,
    OwnOrder, Silence,
};
pub use password::{Password, PasswordAttempt, PasswordHash};
pub use session::{Actor, LoginSession, SessionId, SessionSecret};
pub use source::{BuyerDisplay, Poll, SourceId, SourceRecord, SourceSettings};
pub use stock::{StockRecord, StockRecordKind};
pub use time::Timestamp;
pub use toasts::Toasts;
pub use trace::TraceContext;
pub use user::{Email, NewUser, Nickname, Person, PersonPatch, Role, User, UserPatch};
