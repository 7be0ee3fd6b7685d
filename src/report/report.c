#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "report/table.h"
#include "core/text.h"
#include "verdict/exponents.h"
#include "report/tables.h"

enum status number_cell(struct text_table *table, int present, struct exponent exponent, struct error *error)
{
    if (!present)
        return table_cell(table, error, "-");
    char text[EXPONENT_TEXT];
    exponent_text(exponent.value, exponent.interval, text);
    return table_cell(table, error, "%s", text);
}

static const struct table_column claim_columns[] = {{"claim", 0},
                                                    {"target", 0},
                                                    {"measured", 1},
                                                    {"in T", 1},
                                                    {"predicted", 0},
                                                    {"verdict", 0},
                                                    {"cells used / censored / at start", 1},
                                                    {"note", 0}};

/* Of one target the overall finding says nothing more. */
static enum status fill_claims(const struct finding *findings, size_t count, size_t targets, struct text_table *table,
                               struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct finding *f = &findings[i];
        if (targets == 1 && f->account == NULL)
            continue;
        char verdict[100];
        finding_verdict(f, verdict, sizeof verdict);
        TRY(table_cell(table, error, "%s", f->claim->name));
        TRY(table_cell(table, error, "%s", f->target));
        TRY(number_cell(table, f->measured, (struct exponent){.value = f->value, .interval = f->interval}, error));
        TRY(number_cell(table, f->has_raw, (struct exponent){.value = f->raw_value, .interval = f->raw_interval},
                        error));
        TRY(table_cell(table, error, "%s", f->claim->predicted));
        TRY(table_cell(table, error, "%s", verdict));
        TRY(table_cell(table, error, "%zu / %zu / %zu", f->used, f->censored, f->at_start));
        TRY(table_cell(table, error, "%s", f->note));
    }
    return STATUS_OK;
}

static const struct table_column exponent_columns[] = {
    {"target", 0},       {"sampler", 0}, {"T/log T in 1/ε", 1}, {"T in 1/ε", 1},
    {"T/log T in d", 1}, {"TV in h", 1}, {"KL(p‖q) in h", 1},   {"cells", 1}};

static enum status fill_exponents(const struct evidence *evidence, struct text_table *table, char *sentence,
                                  size_t size, struct error *error)
{
    const struct spec *spec = &evidence->spec;
    int any = 0;
    (void)sentence;
    (void)size;
    for (size_t target = 0; target < spec->target_count; target++)
        for (size_t sampler = 0; sampler < spec->sampler_count; sampler++) {
            struct fit log_free = {0}, raw = {0}, tv, kl;
            if (spec->accuracy_count > 0) {
                TRY(complexity_exponents(evidence, target, sampler, COST_LOG_FREE, &log_free, error));
                TRY(complexity_exponents(evidence, target, sampler, COST_STEPS, &raw, error));
            }
            TRY(divergence_exponents(evidence, target, sampler, offsetof(struct record, tv), &tv, error));
            TRY(divergence_exponents(evidence, target, sampler, offsetof(struct record, kl_p_q), &kl, error));
            TRY(table_cell(table, error, "%s", spec->targets[target].name));
            TRY(table_cell(table, error, "%s", spec->samplers[sampler]->name));
            TRY(number_cell(table, log_free.ok, log_free.x, error));
            TRY(number_cell(table, raw.ok, raw.x, error));
            TRY(number_cell(table, log_free.ok && log_free.has_d, log_free.d, error));
            TRY(number_cell(table, tv.ok, tv.x, error));
            TRY(number_cell(table, kl.ok, kl.x, error));
            TRY(table_cell(table, error, "%zu", log_free.cells));
            any |= log_free.ok | raw.ok | tv.ok | kl.ok;
        }
    if (!any)
        table_free(table);
    return STATUS_OK;
}

static const struct section section_exponents = {"Exponents of every sampler", exponent_columns,
                                                 sizeof exponent_columns / sizeof exponent_columns[0], fill_exponents,
                                                 0};

static const struct table_column speedup_columns[] = {{"target", 0},
                                                      {"d", 1},
                                                      {"ε", 1},
                                                      {"T ddpm", 1},
                                                      {"T accelerated", 1},
                                                      {"speed-up in steps", 1},
                                                      {"in score evaluations", 1}};

static enum status fill_speedup(const struct evidence *evidence, struct text_table *table, char *sentence,
                                size_t size, struct error *error)
{
    (void)sentence;
    (void)size;
    const struct spec *spec = &evidence->spec;
    size_t fast = evidence_sampler(evidence, "accelerated"), slow = evidence_sampler(evidence, "ddpm");
    if (fast == spec->sampler_count || slow == spec->sampler_count)
        return STATUS_OK;
    for (size_t target = 0; target < spec->target_count; target++)
        for (size_t d = 0; d < spec->dimension_count; d++)
            for (size_t e = spec->accuracy_count; e-- > 0;) {
                const struct bracket *a = evidence_complexity(evidence, target, fast, d, e);
                const struct bracket *b = evidence_complexity(evidence, target, slow, d, e);
                if (a->reach != REACH_FOUND || b->reach != REACH_FOUND)
                    continue;
                double steps = (double)(b->passes - 1) / (double)(a->passes - 1);
                double evaluations = steps * (double)spec->samplers[slow]->score_evaluations
                                     / (double)spec->samplers[fast]->score_evaluations;
                TRY(table_cell(table, error, "%s", spec->targets[target].name));
                TRY(table_cell(table, error, "%zu", spec->dimensions[d]));
                TRY(table_cell(table, error, "%g", spec->accuracies[e]));
                TRY(table_cell(table, error, "%zu", b->passes));
                TRY(table_cell(table, error, "%zu", a->passes));
                TRY(table_cell(table, error, "%.2f", steps));
                TRY(table_cell(table, error, "%.2f", evaluations));
                break; /* the smallest accuracy that both reach */
            }
    return STATUS_OK;
}

static const struct section section_speedup = {"Speed-up at the smallest ε that both samplers reach", speedup_columns,
                                               sizeof speedup_columns / sizeof speedup_columns[0], fill_speedup, 0};

/* In the order of the report. */
static const struct section *const sections[] = {
    &section_targets, &section_rates,        &section_frontiers, &section_costs,     &section_exponents,
    &section_speedup, &section_score_errors, &section_clipping,  &section_agreement, &section_alone};
enum { SECTIONS = sizeof sections / sizeof sections[0], MOST_COLUMNS = 16 };

static int is_empty_column(const struct text_table *table, size_t column)
{
    int empty = 1;
    for (size_t i = column; i < table->cells && empty; i += table->columns)
        empty = strcmp(table->cell[i], "-") == 0;
    return empty;
}

/* `column` is where the titles of what is left go; there are at most MOST_COLUMNS. */
static void drop_empty_columns(struct text_table *table, struct table_column *column)
{
    int empty[MOST_COLUMNS];
    size_t columns = 0, cells = 0;
    for (size_t c = 0; c < table->columns; c++) {
        empty[c] = is_empty_column(table, c);
        if (!empty[c])
            column[columns++] = table->column[c];
    }
    for (size_t i = 0; i < table->cells; i++)
        if (empty[i % table->columns])
            free(table->cell[i]);
        else
            table->cell[cells++] = table->cell[i];
    table->column = column;
    table->columns = columns;
    table->cells = cells;
}

static enum status fill_section(const struct evidence *evidence, struct filled_section *section, struct error *error)
{
    section->table = (struct text_table){.column = section->of->columns, .columns = section->of->column_count};
    TRY(section->of->fill(evidence, &section->table, section->sentence, sizeof section->sentence, error));
    if (!section->of->drops_empty || section->table.cells == 0)
        return STATUS_OK;
    section->column = array_new(section->table.columns, sizeof *section->column);
    if (section->column == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a table");
    drop_empty_columns(&section->table, section->column);
    return STATUS_OK;
}

enum status tables_new(const struct evidence *evidence, struct tables *out, struct error *error)
{
    *out = (struct tables){
        .claims = {.column = claim_columns, .columns = sizeof claim_columns / sizeof claim_columns[0]},
        .section = array_new(SECTIONS, sizeof *out->section)};
    if (out->section == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for tables");
    TRY(claims_decide(evidence, &out->findings, &out->count, error));
    TRY(fill_claims(out->findings, out->count, evidence->spec.target_count, &out->claims, error));
    for (; out->sections < SECTIONS; out->sections++) {
        out->section[out->sections].of = sections[out->sections];
        TRY(fill_section(evidence, &out->section[out->sections], error));
    }
    return STATUS_OK;
}

void tables_free(struct tables *tables)
{
    findings_free(tables->findings, tables->count);
    table_free(&tables->claims);
    for (size_t i = 0; tables->section != NULL && i < SECTIONS; i++) {
        table_free(&tables->section[i].table);
        free(tables->section[i].column);
    }
    free(tables->section);
}

int section_is_shown(const struct filled_section *section)
{
    return section->table.cells > 0 || section->sentence[0] != '\0';
}

enum status report_print(const struct evidence *evidence, FILE *file, struct error *error)
{
    struct tables tables;
    enum status status = tables_new(evidence, &tables, error);
    if (status == STATUS_OK)
        status = table_print(&tables.claims, file, error);
    tables_free(&tables);
    return status;
}

static void markdown_section(const struct filled_section *section, FILE *file)
{
    if (!section_is_shown(section))
        return;
    fprintf(file, "\n## %s\n", section->of->heading);
    if (section->table.cells > 0) {
        fputc('\n', file);
        table_markdown(&section->table, file);
    }
    if (section->sentence[0] != '\0')
        fprintf(file, "\n%s\n", section->sentence);
}

static const char how_to_read[] =
    "Exponents are of T/log T (the cost without the logarithms that Õ hides) unless a column says otherwise, with "
    "95% intervals that include what leaving out the smallest ε or the smallest d does to them. Theorems are upper "
    "bounds: an exponent "
    "below is consistent with one and its slack is printed; an interval wholly above (by more than 0.05) refutes "
    "it. Window: ε ≤ 0.1 and T within a factor 8 of the largest found. A cell is censored when no T up to "
    "max_steps reaches ε, at start when the smallest admissible T already does; both are left out of fits.";

static const char how_to_read_score_errors[] =
    "Score errors: the effect is the TV between the sampler's laws with and without the error, an upper bound of the "
    "excess TV, and C = effect/(ε_score √log T). Exponents are fitted at fixed T and d (in ε_score), at fixed "
    "ε_score "
    "and d (in T), at fixed ε_score and T (in d) and at all three fixed (in the roughness ω); the theorems allow C "
    "to "
    "grow in none of T, d and ω. Window: an effect of at most 0.1, known to a thousandth, and ω within a factor 64 "
    "of "
    "the largest; the other cells are unresolved (and counted as censored), and only bound C from above. The largest "
    "C and excess TV are those inside the window.";

static const char how_to_read_samples[] =
    "Chains: their numbers are estimates, lower or upper bounds, named as such, each with a standard error (se). z "
    "is "
    "by how many of them a number misses what the exact law and its radius allow: to either side for an estimate, to "
    "the wrong side for a bound. An estimator is silent where it is not defined (neighbours in more than ten "
    "dimensions, weights of deterministic samplers) or refused (weights of too few effective paths).";

const char *report_note(const struct spec *spec, size_t index)
{
    const struct {
        int applies;
        const char *text;
    } notes[] = {{1, how_to_read},
                 {spec->score_error_count > 1, how_to_read_score_errors},
                 {spec->chain_count > 0, how_to_read_samples}};
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (notes[i].applies && index-- == 0)
            return notes[i].text;
    return NULL;
}

static void markdown(const struct evidence *evidence, const struct tables *tables, FILE *file)
{
    fputs("# ", file);
    text_put_markdown(file, evidence->spec.title);
    fputs("\n\n", file);
    table_markdown(&tables->claims, file);
    for (size_t i = 0; report_note(&evidence->spec, i) != NULL; i++)
        fprintf(file, "\n%s\n", report_note(&evidence->spec, i));
    for (size_t i = 0; i < tables->sections; i++)
        markdown_section(&tables->section[i], file);
}

/* The claim table for an appendix, no wider than a line. Notes are left out: they are long, and verdict.md has them.
 */
static void latex(const struct evidence *evidence, const struct tables *tables, FILE *file)
{
    enum { SHOWN = 7 };
    const struct text_table *table = &tables->claims;
    fputs("% Needs \\usepackage{booktabs,graphicx} and UTF-8.\n\\begin{table}\n\\centering\\footnotesize\n\\caption{",
          file);
    text_put_latex(file, evidence->spec.title);
    fputs(". Cells: used / censored / at start.}\n"
          "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n\\begin{tabular}{@{}",
          file);
    for (size_t c = 0; c < SHOWN; c++)
        fputc(table->column[c].right_aligned ? 'r' : 'l', file);
    fputs("@{}}\n\\toprule\n", file);
    for (size_t c = 0; c < SHOWN; c++) {
        text_put_latex(file, c + 1 < SHOWN ? table->column[c].title : "cells");
        fputs(c + 1 < SHOWN ? " & " : " \\\\\n\\midrule\n", file);
    }
    for (size_t i = 0; i + table->columns <= table->cells; i += table->columns)
        for (size_t c = 0; c < SHOWN; c++) {
            text_put_latex(file, table->cell[i + c]);
            fputs(c + 1 < SHOWN ? " & " : " \\\\\n", file);
        }
    fputs("\\bottomrule\n\\end{tabular}}\n\\end{table}\n", file);
}

enum status report_write(const struct evidence *evidence, const char *name, const struct tables *tables,
                         void (*put)(const struct evidence *evidence, const struct tables *tables, FILE *file),
                         struct error *error)
{
    char path[4200];
    struct bytes text = {NULL, 0};
    FILE *stream = open_memstream(&text.data, &text.length);
    (void)snprintf(path, sizeof path, "%s/%s", evidence->directory, name);
    if (stream != NULL)
        put(evidence, tables, stream);
    int bad = stream == NULL || ferror(stream);
    bad |= stream != NULL && fclose(stream) != 0;
    enum status status =
        bad ? fail_with(error, STATUS_MEMORY, "out of memory for %s", path) : file_replace(path, &text, error);
    free(text.data);
    return status;
}

enum status report_write_tables(const struct evidence *evidence, const char *name,
                                void (*put)(const struct evidence *evidence, const struct tables *tables, FILE *file),
                                struct error *error)
{
    struct tables tables;
    enum status status = tables_new(evidence, &tables, error);
    if (status == STATUS_OK)
        status = report_write(evidence, name, &tables, put, error);
    tables_free(&tables);
    return status;
}

enum status report_markdown(const struct evidence *evidence, struct error *error)
{
    return report_write_tables(evidence, "verdict.md", markdown, error);
}

enum status report_latex(const struct evidence *evidence, struct error *error)
{
    return report_write_tables(evidence, "verdict.tex", latex, error);
}
