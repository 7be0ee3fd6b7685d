#include "report/index.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/text.h"
#include "report/tables.h"
#include "verdict/exponents.h"
#include "verdict/judge.h"

enum index_column {
    INDEX_NAME,
    INDEX_STATEMENT,
    INDEX_METRIC,
    INDEX_WORST,
    INDEX_LIMIT,
    INDEX_FINITE,
    INDEX_BOUND,
    INDEX_VERDICT,
    INDEX_SLACK,
    INDEX_NOTE,
    INDEX_SOURCE,
    INDEX_COLUMNS
};

static const struct table_column columns[INDEX_COLUMNS] = {
    [INDEX_NAME] = {"theorem", ROW_NAME},    [INDEX_STATEMENT] = {"what it says", QUOTED},
    [INDEX_METRIC] = {"metric", LEFT},       [INDEX_WORST] = {"worst sampler and target", WRAPPED},
    [INDEX_LIMIT] = {"in the limit", RIGHT}, [INDEX_FINITE] = {"at finite T", RIGHT},
    [INDEX_BOUND] = {"bound", LEFT},         [INDEX_VERDICT] = {"verdict", LEFT},
    [INDEX_SLACK] = {"slack", RIGHT},        [INDEX_NOTE] = {"why it is open", QUOTED},
    [INDEX_SOURCE] = {"source", QUOTED},
};

static const char how_to_read[] =
    "Exponents are of h (the step size, of order log T/T) and of d or a parameter in the metric; of steps, of 1/ε "
    "and d in T/log T. Each is the worst of all samplers and targets that the claim is about, which stand beside it. "
    "In the limit: extrapolated to h → 0 from exact laws, exponents of d also to d → ∞ from four dimensions on; "
    "where "
    "that exists the verdict is taken on it. At finite T: fitted, with 95% intervals. Slack: by how much the worst "
    "exponent keeps its bound; 0 is tight. Theorems are "
    "upper bounds, and targets that reach them need not be among those measured: supported means that these do not "
    "refute them, not tight that they come nowhere near the bound. Where d coordinates are independent and alike, KL "
    "grows like d, W2 like √d and TV, as h → 0 and d grows, like √d, whatever the sampler: such targets test no "
    "larger power of d.";

/* ---- What decides a claim ---- */

/* What was found of a claim: of each of its bounds, or as a whole, on each target. */
struct parts {
    const struct finding **part;
    size_t count;
};

static enum status collect(const struct finding *findings, size_t targets, struct parts *out, struct error *error)
{
    size_t most = 0;
    for (size_t i = 0; i < targets; i++)
        most += findings[i].parts + 1;
    *out = (struct parts){array_new(most, sizeof(const struct finding *)), 0};
    if (out->part == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for an index");
    for (size_t i = 0; i < targets; i++) {
        const struct finding *finding = &findings[i];
        for (size_t j = 0; j < finding->parts; j++)
            out->part[out->count++] = &finding->part[j];
        if (finding->parts == 0 && finding->outcome != OUTCOME_NOT_CLAIMED)
            out->part[out->count++] = finding;
    }
    return STATUS_OK;
}

static bool same_bound(const struct finding *a, const struct finding *b)
{
    return a->of == NULL || b->of == NULL ? a->of == b->of : bounds_say_the_same(a->of, b->of);
}

/* Keeps, of the parts that are about the same bound, the worst. */
static void keep_worst(struct parts *parts)
{
    size_t kept = 0;
    for (size_t i = 0; i < parts->count; i++) {
        size_t same = 0;
        while (same < kept && !same_bound(parts->part[same], parts->part[i]))
            same++;
        if (same == kept)
            parts->part[kept++] = parts->part[i];
        else if (finding_is_worse(parts->part[i], parts->part[same]))
            parts->part[same] = parts->part[i];
    }
    parts->count = kept;
}

/* ---- Cells of a row ---- */

enum { CELL = EXPONENT_TEXT };

/* "h: PART; d: PART", or one alone, where there is one or all are the same. */
static void join(const struct parts *parts, const char *(*part)(const struct finding *finding, char text[CELL]),
                 char out[CELL])
{
    char text[CELL], first[CELL];
    bool same = true;
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < parts->count; i++)
        same &= strcmp(part(parts->part[i], text), part(parts->part[0], first)) == 0;
    for (size_t i = 0; i < (same && parts->count > 0 ? 1 : parts->count) && used < CELL; i++) {
        const struct claim_bound *of = parts->part[i]->of;
        used += (size_t)snprintf(out + used, CELL - used, "%s%s%s%s", i > 0 ? "; " : "",
                                 same || of == NULL ? "" : bound_axis(of), same || of == NULL ? "" : ": ",
                                 part(parts->part[i], text));
    }
}

static const char *worst_of(const struct finding *finding, char text[CELL])
{
    const char *sampler = finding->of != NULL && finding->of->sampler != NULL ? finding->of->sampler : "";
    (void)snprintf(text, CELL, "%s%s%s", sampler, sampler[0] != '\0' ? ", " : "", finding->target);
    return text;
}

static const char *limit_of(const struct finding *finding, char text[CELL])
{
    (void)snprintf(text, CELL, "-");
    if (finding->has_limit)
        exponent_text(finding->limit_value, finding->limit_interval, text);
    return text;
}

static const char *finite_of(const struct finding *finding, char text[CELL])
{
    (void)snprintf(text, CELL, "-");
    if (finding->measured)
        exponent_text(finding->value, finding->interval, text);
    return text;
}

static const char *slack_of(const struct finding *finding, char text[CELL])
{
    const double side = finding->relation == AT_MOST ? 1.0 : -1.0;
    const double slack = side * (finding->bound - finding_value(finding));
    (void)snprintf(text, CELL, "-");
    if (finding_is_known(finding))
        (void)snprintf(text, CELL, "%.2f", fabs(slack) < 0.005 ? 0.0 : slack);
    return text;
}

static const char *verdict_of(const struct finding *finding, char text[CELL])
{
    (void)snprintf(text, CELL, "%s", outcome_words[finding->outcome]); /* the slack has a column */
    return text;
}

static const char *note_of(const struct finding *finding, char text[CELL])
{
    (void)snprintf(text, CELL, "%.600s", finding->outcome >= OUTCOME_INCONCLUSIVE ? finding->note : "");
    return text;
}

static enum status fill_row(const char *name, const struct claim *claim, const struct parts *parts,
                            struct table *table, struct error *error)
{
    static const char *(*const cell[])(const struct finding *finding, char text[CELL]) = {worst_of, limit_of,
                                                                                          finite_of};
    const struct finding *worst = parts->part[0];
    char text[CELL], predicted[CLAIM_PREDICTION];
    for (size_t i = 1; i < parts->count; i++)
        if (finding_is_worse(parts->part[i], worst))
            worst = parts->part[i];
    TRY(table_text(table, name, error));
    TRY(table_text(table, claim->statement, error));
    TRY(table_text(table, claim->bound[0].column != NULL ? claim->bound[0].column : claim_statistic(claim), error));
    for (size_t i = 0; i < sizeof cell / sizeof cell[0]; i++) {
        join(parts, cell[i], text);
        TRY(table_text(table, text, error));
    }
    claim_prediction(claim, predicted);
    TRY(table_text(table, predicted, error));
    join(parts, verdict_of, text);
    TRY(table_verdict(table, outcome_kind(worst->outcome), text, error));
    join(parts, slack_of, text);
    TRY(table_text(table, text, error));
    join(parts, note_of, text);
    TRY(table_cell_if(table, worst->outcome >= OUTCOME_INCONCLUSIVE, error, "%s", text));
    return table_text(table, claim->source, error);
}

/* ---- Rows ---- */

static enum status add_claims(const char *name, const struct evidence *evidence, struct table *table,
                              struct error *error)
{
    const size_t targets = evidence->manifest.target_count;
    struct finding *findings;
    struct parts parts = {.part = NULL};
    size_t count;
    enum status status = claims_decide(evidence, &findings, &count, error);
    TRY_OR(end, status);
    for (size_t i = 0; i + targets < count; i += targets + 1) {
        free(parts.part);
        TRY_OR(end, collect(&findings[i], targets, &parts, error));
        keep_worst(&parts);
        if (parts.count > 0)
            TRY_OR(end, fill_row(name, findings[i].claim, &parts, table, error));
    }
end:
    free(parts.part);
    findings_free(findings, count);
    return status;
}

/* A result that cannot be read is a row, too. */
static enum status add_unreadable(const char *name, const char *why, struct table *table, struct error *error)
{
    TRY(table_text(table, name, error));
    for (size_t c = INDEX_STATEMENT; c < INDEX_COLUMNS; c++)
        TRY(c == INDEX_VERDICT ? table_verdict(table, TABLE_OPEN, "not measured", error)
            : c == INDEX_NOTE  ? table_text(table, why, error)
                               : table_nothing(table, error));
    return STATUS_OK;
}

static enum status add_result(const char *directory, const char *name, struct table *table, struct error *error)
{
    char path[4000];
    struct evidence evidence = {.complexity = NULL};
    struct error reason = {STATUS_OK, ""};
    if ((size_t)snprintf(path, sizeof path, "%s/%s/spec.yaml", directory, name) >= sizeof path
        || access(path, F_OK) != 0)
        return STATUS_OK; /* no results directory */
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    enum status status = evidence_read(path, claim_names(), &evidence, &reason);
    status = status == STATUS_OK       ? add_claims(name, &evidence, table, error)
             : status == STATUS_MEMORY ? fail_with(error, status, "%s", reason.text)
                                       : add_unreadable(name, reason.text, table, error);
    evidence_free(&evidence);
    return status;
}

static int is_result_name(const struct dirent *entry)
{
    return text_is_name(entry->d_name);
}

enum status index_table(const char *directory, struct table *out, struct error *error)
{
    struct dirent **entry = NULL;
    *out = (struct table){.anchor = "", .anchor_end = "/report.html", .column = columns, .columns = INDEX_COLUMNS};
    const int count = scandir(directory, &entry, is_result_name, alphasort);
    enum status status = STATUS_OK;
    for (int i = 0; i < count; i++) {
        if (status == STATUS_OK)
            status = add_result(directory, entry[i]->d_name, out, error);
        free(entry[i]);
    }
    free(entry);
    if (status == STATUS_OK && out->cells == 0)
        status = fail_with(error, STATUS_IO, "%s: no directory there holds an experiment's results with claims",
                           directory);
    return status;
}

/* ---- Files ---- */

static struct table_view shown(const struct table *table)
{
    static const enum index_column order[] = {INDEX_NAME,  INDEX_VERDICT, INDEX_STATEMENT, INDEX_METRIC,
                                              INDEX_WORST, INDEX_LIMIT,   INDEX_BOUND,     INDEX_SLACK,
                                              INDEX_NOTE,  INDEX_FINITE,  INDEX_SOURCE};
    _Static_assert(sizeof order / sizeof order[0] == INDEX_COLUMNS, "every column is shown");
    struct table_view view = table_all(table);
    for (size_t c = 0; c < INDEX_COLUMNS; c++)
        view.column[c] = order[c];
    for (size_t c = 0; c < view.columns; c++)
        if (view.column[c] == INDEX_NOTE)
            table_drop_empty(&view, c);
    return view;
}

enum status index_print(const struct table *table, FILE *file, struct error *error)
{
    static const enum index_column narrow[] = {INDEX_NAME,   INDEX_METRIC, INDEX_WORST,   INDEX_LIMIT,
                                               INDEX_FINITE, INDEX_BOUND,  INDEX_VERDICT, INDEX_SLACK};
    struct table_view view = table_all(table);
    view.columns = sizeof narrow / sizeof narrow[0];
    for (size_t c = 0; c < view.columns; c++)
        view.column[c] = narrow[c];
    return table_print(view, file, error);
}

static enum status write_markdown(const char *directory, const struct table *table, struct error *error)
{
    struct report_file file;
    TRY(report_open(directory, "index.md", &file, error));
    fputs("# Theorems\n\n", file.stream);
    table_markdown(shown(table), file.stream);
    fprintf(file.stream, "\n%s\n", how_to_read);
    return report_close(&file, STATUS_OK, error);
}

static enum status write_html(const char *directory, const struct table *table, struct error *error)
{
    struct report_file file;
    TRY(report_open(directory, "index.html", &file, error));
    report_html_head("Theorems", true, file.stream);
    fputs("<header><h1>Theorems</h1></header><main>\n", file.stream);
    table_html(shown(table), file.stream);
    fprintf(file.stream, "<p>%s</p>\n</main></body></html>\n", how_to_read);
    return report_close(&file, STATUS_OK, error);
}

enum status index_write(const char *directory, const struct table *table, struct error *error)
{
    TRY(write_markdown(directory, table, error));
    return write_html(directory, table, error);
}
