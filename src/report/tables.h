/* What the files of the report share. */
#ifndef REPORT_TABLES_H
#define REPORT_TABLES_H

#include <stdio.h>

#include "core/status.h"
#include "report/table.h"
#include "verdict/claims.h"
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

struct filled_section {
    const struct section *of;
    struct text_table table;
    struct table_column *column; /* of a section that drops empty ones */
    char sentence[1200];
};
int section_is_shown(const struct filled_section *section);

/* Everything that a report says in tables. Free with tables_free, also after an error. */
struct tables {
    struct finding *findings;
    size_t count;
    struct text_table claims;
    struct filled_section *section;
    size_t sections;
};
MUST_USE enum status tables_new(const struct evidence *evidence, struct tables *out, struct error *error);
void tables_free(struct tables *tables);

/* How to read the tables: a paragraph for each index that this experiment needs; NULL past the end. */
const char *report_note(const struct spec *spec, size_t index);

/* What `put` prints becomes the file of this name beside the result, all of it at once. */
MUST_USE enum status report_write(const struct evidence *evidence, const char *name, const struct tables *tables,
                                  void (*put)(const struct evidence *evidence, const struct tables *tables,
                                              FILE *file),
                                  struct error *error);

/* The same of what needs tables. */
MUST_USE enum status report_write_tables(const struct evidence *evidence, const char *name,
                                         void (*put)(const struct evidence *evidence, const struct tables *tables,
                                                     FILE *file),
                                         struct error *error);

/* The style sheet of report.html, in page_style.c. */
extern const char report_style[];

/* In tables_errors.c. */
extern const struct section section_targets, section_score_errors, section_clipping;

/* In tables_samples.c. */
extern const struct section section_agreement, section_alone;

/* In tables_atlas.c. */
extern const struct section section_rates, section_frontiers, section_costs;

/* "0.251 ± 0.005", or "-" if it is not present. */
MUST_USE enum status number_cell(struct text_table *table, int present, struct exponent exponent,
                                 struct error *error);

#endif
