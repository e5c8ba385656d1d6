-- A copy of the database must not open accounts. A log-in is known by the SHA-256 of what its token says (64 hexadecimal
-- digits), and the key of the tokens is kept in a file beside the database. SQL has no SHA-256: here the log-ins are
-- marked, and the program that opens the database (`store/sqlite/open.rs`) replaces them right after.
update sessions
set session_id = 'plain:' || session_id;
