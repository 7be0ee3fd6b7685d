#include "verdict/report.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/table.h"
#include "core/text.h"
#include "verdict/exponents.h"
#include "verdict/figures.h"
#include "verdict/report_tables.h"

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

static enum status fill_claims(const struct finding *findings, size_t count, struct text_table *table,
                               struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct finding *f = &findings[i];
        char verdict[100];
        finding_verdict(f, verdict, sizeof verdict);
        TRY(table_cell(table, error, "%s", f->claim->name));
        TRY(table_cell(table, error, "%s", f->target));
        TRY(number_cell(table, f->measured, (struct exponent){.value = f->value, .interval = f->interval}, error));
        TRY(number_cell(table, f->has_raw, (struct exponent){.value = f->raw_value, .interval = f->raw_interval}, error));
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

/* The tables, filled. */
struct tables {
    struct finding *findings;
    size_t count;
    struct text_table claims, section[SECTIONS];
    struct table_column column[SECTIONS][MOST_COLUMNS]; /* of sections that drop empty ones */
    char sentence[SECTIONS][1200];
};

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

static enum status tables_new(const struct evidence *evidence, struct tables *out, struct error *error)
{
    *out = (struct tables){
        .claims = {.column = claim_columns, .columns = sizeof claim_columns / sizeof claim_columns[0]}};
    for (size_t i = 0; i < SECTIONS; i++)
        out->section[i] = (struct text_table){.column = sections[i]->columns, .columns = sections[i]->column_count};
    TRY(claims_decide(evidence, &out->findings, &out->count, error));
    TRY(fill_claims(out->findings, out->count, &out->claims, error));
    for (size_t i = 0; i < SECTIONS; i++) {
        TRY(sections[i]->fill(evidence, &out->section[i], out->sentence[i], sizeof out->sentence[i], error));
        if (sections[i]->drops_empty && out->section[i].cells > 0)
            drop_empty_columns(&out->section[i], out->column[i]);
    }
    return STATUS_OK;
}

static void tables_free(struct tables *tables)
{
    findings_free(tables->findings, tables->count);
    table_free(&tables->claims);
    for (size_t i = 0; i < SECTIONS; i++)
        table_free(&tables->section[i]);
}

static int is_shown(const struct tables *tables, size_t section)
{
    return tables->section[section].cells > 0 || tables->sentence[section][0] != '\0';
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

static FILE *open_beside(const struct evidence *evidence, const char *name, struct error *error)
{
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/%s", evidence->directory, name);
    (void)unlink(path); /* it might be a link to somewhere else */
    FILE *file = fopen(path, "wx");
    if (file == NULL)
        (void)fail_with(error, STATUS_IO, "cannot write %s", path);
    return file;
}

static void markdown_section(const struct tables *tables, size_t section, FILE *file)
{
    if (!is_shown(tables, section))
        return;
    fprintf(file, "\n## %s\n", sections[section]->heading);
    if (tables->section[section].cells > 0) {
        fputc('\n', file);
        table_markdown(&tables->section[section], file);
    }
    if (tables->sentence[section][0] != '\0')
        fprintf(file, "\n%s\n", tables->sentence[section]);
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

enum status report_markdown(const struct evidence *evidence, struct error *error)
{
    struct tables tables;
    enum status status = tables_new(evidence, &tables, error);
    FILE *file = status == STATUS_OK ? open_beside(evidence, "verdict.md", error) : NULL;
    if (status == STATUS_OK && file == NULL)
        status = STATUS_IO;
    if (status == STATUS_OK) {
        fputs("# ", file);
        text_put_markdown(file, evidence->spec.title);
        fputs("\n\n", file);
        table_markdown(&tables.claims, file);
        fprintf(file, "\n%s\n", how_to_read);
        if (evidence->spec.score_error_count > 1)
            fprintf(file, "\n%s\n", how_to_read_score_errors);
        if (evidence->spec.chain_count > 0)
            fprintf(file, "\n%s\n", how_to_read_samples);
        for (size_t i = 0; i < SECTIONS; i++)
            markdown_section(&tables, i, file);
        if (fclose(file) != 0)
            status = fail_with(error, STATUS_IO, "cannot write %s/verdict.md", evidence->directory);
    }
    tables_free(&tables);
    return status;
}

static void html_table(const struct text_table *table, FILE *file)
{
    fputs("<div class=\"wide\"><table><thead><tr>", file);
    for (size_t c = 0; c < table->columns; c++) {
        fputs("<th>", file);
        text_put_html(file, table->column[c].title);
        fputs("</th>", file);
    }
    fputs("</tr></thead><tbody>\n", file);
    for (size_t i = 0; i + table->columns <= table->cells; i += table->columns) {
        fputs("<tr>", file);
        for (size_t c = 0; c < table->columns; c++) {
            const char *cell = table->cell[i + c];
            const char *kind = strcmp(table->column[c].title, "verdict") != 0
                                   ? table->column[c].right_aligned ? "n" : ""
                               : strncmp(cell, "supported", 9) == 0 ? "good"
                               : strcmp(cell, "refuted") == 0       ? "bad"
                                                                    : "open";
            fprintf(file, "<td class=\"%s\">", kind);
            text_put_html(file, cell);
            fputs("</td>", file);
        }
        fputs("</tr>\n", file);
    }
    fputs("</tbody></table></div>\n", file);
}

static void html_section(const struct tables *tables, size_t section, FILE *file)
{
    if (!is_shown(tables, section))
        return;
    fprintf(file, "<h2>%s</h2>\n", sections[section]->heading);
    if (tables->section[section].cells > 0)
        html_table(&tables->section[section], file);
    if (tables->sentence[section][0] == '\0')
        return;
    fputs("<p>", file);
    text_put_html(file, tables->sentence[section]);
    fputs("</p>\n", file);
}

/* An SVG as an image in the page itself: what lies in the directory may be of anybody, and in an image no script
 * runs. */
static void embed_svg(const struct evidence *evidence, const struct figure *figure, FILE *file)
{
    static const char plain[] = NAME_CHARACTERS " '()*+,/:;=";
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/%s.svg", evidence->directory, figure->name);
    FILE *svg = fopen(path, "r");
    if (svg == NULL)
        return;
    fprintf(file, "<figure><img alt=\"%s\" src=\"data:image/svg+xml,", figure->name);
    for (int c; (c = fgetc(svg)) != EOF;)
        if (c != '\0' && strchr(plain, c) != NULL)
            (void)fputc(c, file);
        else
            fprintf(file, "%%%02X", (unsigned)c);
    (void)fclose(svg);
    fputs("\"><figcaption>", file);
    text_put_html(file, figure->caption);
    fputs("</figcaption></figure>\n", file);
}

static const char style[] = "<style>:root{color-scheme:light dark}body{font:16px/1.5 "
                            "system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
                            "table{border-collapse:collapse;font-size:.9rem}th,td{padding:.25rem "
                            ".6rem;border-bottom:1px solid #8884;text-align:left}"
                            "td.n{text-align:right;font-variant-numeric:tabular-nums}td.good{color:#009e73}td.bad{"
                            "color:#d55e00;font-weight:bold}"
                            "td.open{color:#b8860b}td:not(:last-child),td.n{white-space:nowrap}.wide{overflow-x:auto}"
                            "figure{margin:2rem 0}figure "
                            "img{width:100%;height:auto;background:#fff}"
                            "pre{overflow-x:auto;background:#8881;padding:1rem}</style>\n";

static void html_body(const struct evidence *evidence, const struct tables *tables, FILE *file)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
          "content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" "
          "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n<title>",
          file);
    text_put_html(file, evidence->spec.title);
    fprintf(file, "</title>\n%s</head><body>\n<h1>", style);
    text_put_html(file, evidence->spec.title);
    fputs("</h1>\n<h2>Claims</h2>\n", file);
    html_table(&tables->claims, file);
    fprintf(file, "<p>%s</p>\n", how_to_read);
    if (evidence->spec.score_error_count > 1)
        fprintf(file, "<p>%s</p>\n", how_to_read_score_errors);
    if (evidence->spec.chain_count > 0)
        fprintf(file, "<p>%s</p>\n", how_to_read_samples);
    fputs("<h2>Figures</h2>\n", file);
    for (const struct figure *figure = figures; figure->name != NULL; figure++)
        embed_svg(evidence, figure, file);
    for (size_t i = 0; i < SECTIONS; i++)
        html_section(tables, i, file);
    fputs("<h2>The experiment</h2>\n<pre>", file);
    text_put_html(file, evidence->result.spec_text);
    fputs("</pre>\n<h2>Provenance</h2>\n<pre>", file);
    text_put_html(file, evidence->result.provenance);
    text_put_html(file, evidence->result.plugins);
    fputs("</pre>\n</body></html>\n", file);
}

enum status report_html(const struct evidence *evidence, struct error *error)
{
    struct tables tables;
    enum status status = tables_new(evidence, &tables, error);
    FILE *file = status == STATUS_OK ? open_beside(evidence, "report.html", error) : NULL;
    if (status == STATUS_OK && file == NULL)
        status = STATUS_IO;
    if (status == STATUS_OK) {
        html_body(evidence, &tables, file);
        if (fclose(file) != 0)
            status = fail_with(error, STATUS_IO, "cannot write %s/report.html", evidence->directory);
    }
    tables_free(&tables);
    return status;
}
