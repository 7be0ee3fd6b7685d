#include "core/elementary.h"

const double exp_least = -708.0, exp_most = 709.0;
