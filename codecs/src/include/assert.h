/* libzstd asks for it, and asserts nothing in this build. */
#define static_assert _Static_assert
