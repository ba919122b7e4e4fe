/* The declarations are in codecs.h. */
#include "../codecs.h"
