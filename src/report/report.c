#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/text.h"
#include "report/tables.h"

/* Of one target the overall finding says nothing more. */
static struct table_view shown_findings(const struct tables *tables, const enum finding_column *columns, size_t count)
{
    size_t step = tables->evidence->manifest.target_count == 1 ? 2 : 1;
    return tables_findings(tables, columns, count, 0, step, tables->count / step);
}

static const enum finding_column columns_of_text[] = {FINDING_CLAIM,   FINDING_TARGET, FINDING_MEASURED,
                                                      FINDING_LIMIT,   FINDING_IN_T,   FINDING_PREDICTED,
                                                      FINDING_VERDICT, FINDING_CELLS,  FINDING_NOTE};

enum status report_print(const struct tables *tables, FILE *file, struct error *error)
{
    return table_print(shown_findings(tables, COLUMNS(columns_of_text)), file, error);
}

static void markdown_section(const struct table *table, const struct table_view *view, FILE *file)
{
    if (view->rows == 0 && table->note[0] == '\0')
        return;
    fprintf(file, "\n## %s\n", table->title);
    if (view->rows > 0) {
        fputc('\n', file);
        table_markdown(*view, file);
    }
    if (table->note[0] != '\0')
        fprintf(file, "\n%s\n", table->note);
}

enum status report_markdown(const struct tables *tables, struct error *error)
{
    const struct manifest *manifest = &tables->evidence->manifest;
    struct report_file file;
    TRY(report_open(tables->evidence->directory, "verdict.md", &file, error));
    fputs("# ", file.stream);
    text_put_markdown(file.stream, manifest->title);
    fputs("\n\n", file.stream);
    table_markdown(shown_findings(tables, COLUMNS(columns_of_text)), file.stream);
    for (size_t i = 0; tables_note(manifest, i) != NULL; i++)
        fprintf(file.stream, "\n%s\n", tables_note(manifest, i));
    for (size_t i = 0; i < tables->sections; i++)
        markdown_section(&tables->section[i], &tables->shown[i], file.stream);
    return report_close(&file, STATUS_OK, error);
}

/* The claim table for an appendix, no wider than a line. Notes are left out: they are long, and verdict.md has them.
 */
enum status report_latex(const struct tables *tables, struct error *error)
{
    static const enum finding_column columns[] = {FINDING_CLAIM,   FINDING_TARGET,     FINDING_MEASURED,
                                                  FINDING_LIMIT,   FINDING_IN_T,       FINDING_PREDICTED,
                                                  FINDING_VERDICT, FINDING_CELLS_SHORT};
    struct report_file file;
    TRY(report_open(tables->evidence->directory, "verdict.tex", &file, error));
    fputs("% Needs \\usepackage{booktabs,graphicx} and UTF-8.\n\\begin{table}\n\\centering\\footnotesize\n\\caption{",
          file.stream);
    text_put_latex(file.stream, tables->evidence->manifest.title);
    fputs(". Cells: used / censored / at start.}\n"
          "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n",
          file.stream);
    table_latex(shown_findings(tables, COLUMNS(columns)), file.stream);
    fputs("}\n\\end{table}\n", file.stream);
    return report_close(&file, STATUS_OK, error);
}

/* ---- cells.csv ---- */

/* The fields that are columns, those of components only where some row has a number; returns how many. */
static size_t csv_fields(const struct evidence *evidence, const struct field **out)
{
    size_t count = 0;
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (field->component == 0 || field_is_known(field, evidence->result.rows, evidence->result.count))
            out[count++] = field;
    return count;
}

/* Prints, and forgets, a row with why it failed. */
static enum status csv_row(const struct parameter_columns *parameters, const struct field *const *fields,
                           size_t count, const struct record *row, struct table *table, FILE *file,
                           struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = fields[i];
        switch (field->type) {
        case FIELD_STRING:
            TRY(table_text(table, field_text(field, row), error));
            break;
        case FIELD_COUNT:
            TRY(table_cells(table, error, "%" PRIu64, field_count(field, row)));
            break;
        case FIELD_REAL:
            TRY(table_number(table, field_real(field, row), error));
            break;
        }
    }
    for (size_t i = 0; i < parameters->count; i++)
        TRY(table_number(table, row->parameter[i], error));
    TRY(table_text(table, row->failure, error));
    table_csv_rows(table, 0, file);
    return STATUS_OK;
}

enum status report_csv(const struct evidence *evidence, struct error *error)
{
    const struct parameter_columns *parameters = &evidence->result.parameters;
    struct report_file file = {.stream = NULL};
    size_t most = 0, count = 0, c = 0;
    while (record_fields[most].name != NULL)
        most++;
    const struct field **fields = array_new(most, sizeof(const struct field *));
    struct table_column *column = array_new(most + parameters->count + 1, sizeof *column);
    struct table table = {.column = column};
    enum status status =
        fields != NULL && column != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for a table");
    TRY_OR(end, status);
    count = csv_fields(evidence, fields);
    for (size_t i = 0; i < count; i++)
        column[c++].heading = fields[i]->name;
    for (size_t i = 0; i < parameters->count; i++)
        column[c++].heading = parameters->column[i].name;
    column[c++].heading = "failure";
    table.columns = c;
    TRY_OR(end, report_open(evidence->directory, "cells.csv", &file, error));
    table_csv_rows(&table, 1, file.stream);
    for (size_t i = 0; i < evidence->result.count; i++)
        TRY_OR(end, csv_row(parameters, fields, count, &evidence->result.rows[i], &table, file.stream, error));
    for (size_t i = 0; i < evidence->failed_count; i++)
        TRY_OR(end, csv_row(parameters, fields, count, &evidence->failed[i], &table, file.stream, error));
end:
    status = report_close(&file, status, error);
    table_free(&table);
    free(column);
    free(fields);
    return status;
}
