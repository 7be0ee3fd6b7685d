#include "verdict/figures.h"
#include <stddef.h>
const struct figure figures[] = {{NULL, NULL}};
enum status figures_draw(const struct evidence *evidence, struct error *error){ (void)evidence;(void)error; return STATUS_OK; }
