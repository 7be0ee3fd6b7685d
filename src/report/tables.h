/* The tables of a report, each made once; report.c and page.c write them. */
#ifndef REPORT_TABLES_H
#define REPORT_TABLES_H

#include "core/file.h"
#include "core/status.h"
#include "report/table.h"
#include "results/evidence.h"
#include "verdict/claims.h"
#include "verdict/fit.h"

/* How a section's table is made: its columns, and what fills in rows and note; without both the section is left out.
 */
struct section {
    const char *title;
    const struct table_column *columns;
    size_t column_count;
    enum status (*fill)(const struct evidence *evidence, struct table *table, struct error *error);
    bool drops_empty; /* leaves out columns that hold nothing */
};

/* Columns of the table of findings, of which each form shows its own. */
enum finding_column {
    FINDING_CLAIM,
    FINDING_TARGET,
    FINDING_VERDICT,
    FINDING_MEASURED,
    FINDING_LIMIT, /* in the limit h -> 0, on which the verdict is taken */
    FINDING_IN_T,  /* the same exponent in T */
    FINDING_PREDICTED,
    FINDING_CELLS,       /* all three counts, for Markdown and terminals */
    FINDING_CELLS_SHORT, /* the same, where the caption says what they are */
    FINDING_USED,
    FINDING_CENSORED,
    FINDING_AT_START,
    FINDING_NOTE,
    FINDING_STATEMENT,
    FINDING_COLUMNS
};

/* Everything that a report says in tables. Free with tables_free, also after an error. */
struct tables {
    const struct evidence *evidence;
    struct finding *findings;
    size_t count;
    struct table claims; /* a row a finding */
    struct table censored;
    struct table *section;
    struct table_view *shown; /* of each section */
    size_t sections;
};
MUST_USE enum status tables_new(const struct evidence *evidence, struct tables *out, struct error *error);
void tables_free(struct tables *tables);

/* These columns of the table of findings, and rows first, first + step, ... */
struct table_view tables_findings(const struct tables *tables, const enum finding_column *columns, size_t count,
                                  size_t first, size_t step, size_t rows);

/* How to read the tables: a paragraph for each index that this experiment needs; NULL past the end. */
const char *tables_note(const struct manifest *manifest, size_t index);

/* A file in the directory of a result, written at once when it is whole: to `stream` of report_open, which
 * report_close makes the file of this name, unless `status` says that what was written is not whole. */
struct report_file {
    const char *directory, *name;
    FILE *stream;
    struct bytes text;
};
MUST_USE enum status report_open(const char *directory, const char *name, struct report_file *out,
                                 struct error *error);
MUST_USE enum status report_close(struct report_file *file, enum status status, struct error *error);

/* GOOD, OPEN or BAD. */
enum table_kind outcome_kind(enum outcome outcome);

/* "0.251 ± 0.005", or nothing if it is not present. */
MUST_USE enum status table_exponent(struct table *table, bool present, struct exponent exponent, struct error *error);

/* In tables_errors.c. */
extern const struct section section_targets, section_complexity_under, section_score_errors, section_clipping;

/* In tables_samples.c. */
extern const struct section section_agreement, section_alone;

/* In tables_atlas.c. */
extern const struct section section_rates, section_frontiers, section_costs;

/* The style sheet of report.html, in page_style.c. */
extern const char report_style[];

/* The beginning of a page, up to <body>. */
void report_html_head(const char *title, bool full_width, FILE *file);

#define COLUMNS(list) list, sizeof(list) / sizeof(list)[0]

#endif
