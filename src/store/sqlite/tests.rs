//! What only SQLite has: its files, its writer.
