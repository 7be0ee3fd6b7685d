/* What `verdict` and `report` do with evidence, for `run` to do at its end. */
#ifndef COMMAND_STORED_H
#define COMMAND_STORED_H

#include "core/status.h"
#include "results/evidence.h"

MUST_USE enum status stored_verdict(const struct evidence *evidence, struct error *error);
MUST_USE enum status stored_report(const struct evidence *evidence, struct error *error);

#endif
