/* What the files of the report share. */
#ifndef VERDICT_REPORT_TABLES_H
#define VERDICT_REPORT_TABLES_H

#include "core/status.h"
#include "core/table.h"
#include "verdict/evidence.h"
#include "verdict/fit.h"

/* A table under a heading, with a sentence below it that may be empty; left out if both are. */
struct section {
    const char *heading;
    const struct table_column *columns;
    size_t column_count;
    enum status (*fill)(const struct evidence *evidence, struct text_table *table, char *sentence, size_t size,
                        struct error *error);
    int drops_empty; /* leaves out columns that hold nothing but "-" */
};

/* In report_errors.c. */
extern const struct section section_targets, section_score_errors, section_clipping;

/* In report_samples.c. */
extern const struct section section_agreement, section_alone;

/* In report_atlas.c. */
extern const struct section section_rates, section_frontiers, section_costs;

/* "0.251 ± 0.005", or "-" if it is not present. */
MUST_USE enum status number_cell(struct text_table *table, int present, struct exponent exponent,
                                 struct error *error);

#endif
