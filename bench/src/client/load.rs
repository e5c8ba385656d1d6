//! HTTP under load: connections that ask again as soon as they are answered, never two requests at once on one.
