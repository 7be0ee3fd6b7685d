/* Results of before the time when they had a manifest (format 5 and older): it is made of their experiment's text. */
#ifndef RESULTS_OLD_H
#define RESULTS_OLD_H

#include "core/status.h"
#include "results/store.h"

/* Fills result->manifest. Args: file, its name. Errors: those of spec_parse, for which samplers, targets and
 * schedules of plug-ins are unknown; STATUS_MEMORY. */
MUST_USE enum status old_manifest(const char *file, struct result *result, const char *const *claim_names,
                                  struct error *error);

#endif
