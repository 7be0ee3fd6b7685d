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
    INDEX_CLAIM,
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
    [INDEX_NAME] = {"theorem", ROW_NAME},
    [INDEX_CLAIM] = {"claim", LEFT},
    [INDEX_STATEMENT] = {"what it says", QUOTED},
    [INDEX_METRIC] = {"metric", LEFT},
    [INDEX_WORST] = {"worst sampler and target", WRAPPED},
    [INDEX_LIMIT] = {"in the limit", RIGHT},
    [INDEX_FINITE] = {"at finite T", RIGHT},
    [INDEX_BOUND] = {"bound", LEFT},
    [INDEX_VERDICT] = {"verdict", LEFT},
    [INDEX_SLACK] = {"slack", RIGHT},
    [INDEX_NOTE] = {"why it is open", QUOTED},
    [INDEX_SOURCE] = {"source", QUOTED},
};

static const char how_to_read[] =
    "Exponents are of h (the step size, of order log T/T) and of d or a parameter in the metric; of steps, "
    "of 1/ε and d in T/log T. Each is the worst of all samplers and targets that the claim is about, which "
    "stand beside it. A claim that several results judge, one that is built in or stated in the same words "
    "by the same source, has one row, under the first: the worst of each bound and the verdict are of all of "
    "them, the result in parentheses. By planted_tv or planted_kl: on codebooks TV and KL are not known, and "
    "what is judged is an annealed lower bound of them, which can refute a bound or show that it is tight; a "
    "slack that it leaves may be smaller for TV and KL themselves. "
    "In the limit: extrapolated to h → 0 from exact laws, exponents of d also to d → ∞ from four dimensions "
    "on; where that exists the verdict is taken on it. At finite T: fitted, with 95% intervals. Slack: by "
    "how much the worst exponent keeps its bound; 0 is tight. Theorems are upper bounds, and targets that "
    "reach them need not be among those measured: supported means that these do not refute them, not tight "
    "that they come nowhere near the bound. Where d coordinates are independent and alike, KL grows like d, "
    "W2 like √d and TV, as h → 0 and d grows, like √d, whatever the sampler: such targets test no larger "
    "power of d.";

/* ---- Results ---- */

/* One of the directory's. */
struct judged_result {
    const char *name;
    struct evidence evidence; /* without its rows */
    struct finding *findings;
    size_t count;
    struct error unreadable; /* its status: whether the result can be read */
};

static size_t findings_of_claim(const struct judged_result *result)
{
    return result->evidence.manifest.target_count + 1; /* one a target, and the overall one */
}

static enum status judge_result(const char *directory, const char *name, struct judged_result *out,
                                struct error *error)
{
    char path[4000];
    *out = (struct judged_result){.name = name};
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    const enum status status = evidence_read(path, claim_names(), &out->evidence, &out->unreadable);
    out->unreadable.status = status;
    if (status == STATUS_MEMORY)
        return fail_with(error, status, "%s", out->unreadable.text);
    if (status == STATUS_OK)
        TRY(claims_decide(&out->evidence, &out->findings, &out->count, error));
    free(out->evidence.result.rows);
    out->evidence.result.rows = NULL;
    return STATUS_OK;
}

static void result_forget(struct judged_result *result)
{
    findings_free(result->findings, result->count);
    evidence_free(&result->evidence);
}

/* ---- What decides a claim ---- */

/* What was found of a claim: of each of its bounds, or as a whole, on each target of each result. */
struct part {
    const struct finding *finding;
    const char *result;
};
struct parts {
    struct part *part;
    size_t count, capacity;
    bool several; /* results */
};

static enum status add_part(const struct finding *finding, const char *result, struct parts *out, struct error *error)
{
    struct part *grown = array_reserve(out->part, &out->capacity, out->count + 1, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for an index");
    out->several |= out->count > 0 && strcmp(grown[0].result, result) != 0;
    out->part = grown;
    out->part[out->count++] = (struct part){finding, result};
    return STATUS_OK;
}

/* Of the claim whose first finding this is. */
static enum status collect(const struct judged_result *result, const struct finding *findings, struct parts *out,
                           struct error *error)
{
    for (size_t i = 0; i + 1 < findings_of_claim(result); i++) {
        const struct finding *finding = &findings[i];
        for (size_t j = 0; j < finding->parts; j++)
            TRY(add_part(&finding->part[j], result->name, out, error));
        if (finding->parts == 0 && finding->outcome > OUTCOME_NOT_JUDGED)
            TRY(add_part(finding, result->name, out, error));
    }
    return STATUS_OK;
}

static bool same_bound(const struct finding *a, const struct finding *b)
{
    return a->of == NULL || b->of == NULL
               ? a->of == b->of
               : bounds_say_the_same(a->of, b->of) && !(a->bound < b->bound) && !(a->bound > b->bound);
}

/* What one result leaves open because nothing is measured there, another may tell. */
static bool is_worse(const struct part *part, const struct part *than)
{
    const bool open = part->finding->outcome == OUTCOME_INCONCLUSIVE && !finding_is_known(part->finding);
    const bool than_open = than->finding->outcome == OUTCOME_INCONCLUSIVE && !finding_is_known(than->finding);
    return open != than_open && strcmp(part->result, than->result) != 0
               ? than_open
               : finding_is_worse(part->finding, than->finding);
}

/* Keeps, of the parts that are about the same bound, the worst: the largest exponent where nothing refutes it. */
static void keep_worst(struct parts *parts)
{
    size_t kept = 0;
    for (size_t i = 0; i < parts->count; i++) {
        size_t same = 0;
        while (same < kept && !same_bound(parts->part[same].finding, parts->part[i].finding))
            same++;
        if (same == kept)
            parts->part[kept++] = parts->part[i];
        else if (is_worse(&parts->part[i], &parts->part[same]))
            parts->part[same] = parts->part[i];
    }
    parts->count = kept;
}

/* ---- Cells of a row ---- */

enum { CELL = EXPONENT_TEXT };

/* "h" or, where there are several bounds on the power of h, "h <= 2". */
static void label_of(const struct parts *parts, const struct finding *finding, char out[CELL])
{
    char words[BOUND_WORDS] = "";
    bool several = false;
    for (size_t i = 0; i < parts->count; i++) {
        const struct finding *other = parts->part[i].finding;
        several |= other != finding && other->relation == finding->relation
                   && strcmp(bound_axis(other->of), bound_axis(finding->of)) == 0;
    }
    if (several)
        (void)bound_words(finding->relation, finding->bound, words);
    (void)snprintf(out, CELL, "%s%s%s: ", bound_axis(finding->of), several ? " " : "", words);
}

/* "h: PART; d: PART", or one alone, where there is one or all are the same. */
static void join(const struct parts *parts,
                 const char *(*cell)(const struct part *part, bool several, char text[CELL]), char out[CELL])
{
    char text[CELL], first[CELL], label[CELL] = "";
    bool same = true;
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < parts->count; i++)
        same &=
            strcmp(cell(&parts->part[i], parts->several, text), cell(&parts->part[0], parts->several, first)) == 0;
    for (size_t i = 0; i < (same && parts->count > 0 ? 1 : parts->count) && used < CELL; i++) {
        if (!same && parts->part[i].finding->of != NULL)
            label_of(parts, parts->part[i].finding, label);
        used += (size_t)snprintf(out + used, CELL - used, "%s%s%s", i > 0 ? "; " : "", label,
                                 cell(&parts->part[i], parts->several, text));
    }
}

/* "ddpm, shells", and where they matter by which lower bound and in which result. */
static const char *worst_of(const struct part *part, bool several, char text[CELL])
{
    const struct finding *finding = part->finding;
    const char *sampler = finding->of != NULL && finding->of->sampler != NULL ? finding->of->sampler : "";
    (void)snprintf(text, CELL, "%s%s%s%s%s%s%s%s", sampler, sampler[0] != '\0' ? ", " : "", finding->target,
                   finding->lower_bound != NULL ? " by " : "",
                   finding->lower_bound != NULL ? finding->lower_bound : "", several ? " (" : "",
                   several ? part->result : "", several ? ")" : "");
    return text;
}

static const char *limit_of(const struct part *part, bool several, char text[CELL])
{
    const struct finding *finding = part->finding;
    (void)several;
    (void)snprintf(text, CELL, "-");
    if (finding->has_limit)
        exponent_text(finding->limit_value, finding->limit_interval, text);
    return text;
}

static const char *finite_of(const struct part *part, bool several, char text[CELL])
{
    const struct finding *finding = part->finding;
    (void)several;
    (void)snprintf(text, CELL, "-");
    if (finding->measured)
        exponent_text(finding->value, finding->interval, text);
    return text;
}

static const char *slack_of(const struct part *part, bool several, char text[CELL])
{
    const struct finding *finding = part->finding;
    (void)several;
    const double side = finding->relation == AT_MOST ? 1.0 : -1.0;
    const double slack = side * (finding->bound - finding_value(finding));
    (void)snprintf(text, CELL, "-");
    if (finding_is_known(finding))
        (void)snprintf(text, CELL, "%.2f", fabs(slack) < 0.005 ? 0.0 : slack);
    return text;
}

static const char *verdict_of(const struct part *part, bool several, char text[CELL])
{
    const struct finding *finding = part->finding;
    (void)several;
    (void)snprintf(text, CELL, "%s", outcome_words[finding->outcome]); /* the slack has a column */
    return text;
}

static const char *note_of(const struct part *part, bool several, char text[CELL])
{
    const struct finding *finding = part->finding;
    (void)several;
    (void)snprintf(text, CELL, "%.600s", finding->outcome >= OUTCOME_INCONCLUSIVE ? finding->note : "");
    return text;
}

static enum status fill_row(const char *name, const struct claim *claim, const struct parts *parts,
                            struct table *table, struct error *error)
{
    static const char *(*const cell[])(const struct part *part, bool several, char text[CELL]) = {worst_of, limit_of,
                                                                                                  finite_of};
    const struct part *worst = parts->part;
    char text[CELL], predicted[CLAIM_PREDICTION];
    for (size_t i = 1; i < parts->count; i++)
        if (is_worse(&parts->part[i], worst))
            worst = &parts->part[i];
    TRY(table_text(table, name, error));
    TRY(table_text(table, claim->name, error));
    TRY(table_text(table, claim->statement, error));
    TRY(table_text(table, claim->bound[0].column != NULL ? claim->bound[0].column : claim_statistic(claim), error));
    for (size_t i = 0; i < sizeof cell / sizeof cell[0]; i++) {
        join(parts, cell[i], text);
        TRY(table_text(table, text, error));
    }
    claim_prediction(claim, NULL, predicted);
    TRY(table_text(table, predicted, error));
    join(parts, verdict_of, text);
    TRY(table_verdict(table, outcome_kind(worst->finding->outcome), text, error));
    join(parts, slack_of, text);
    TRY(table_text(table, text, error));
    join(parts, note_of, text);
    TRY(table_cell_if(table, worst->finding->outcome >= OUTCOME_INCONCLUSIVE, error, "%s", text));
    return table_text(table, claim->source, error);
}

/* ---- Rows ---- */

/* The findings of a claim that says the same as this one; NULL where the result has none. */
static const struct finding *find_claim(const struct judged_result *result, const struct claim *claim)
{
    for (size_t i = 0; i < result->count; i += findings_of_claim(result))
        if (claims_say_the_same(result->findings[i].claim, claim))
            return &result->findings[i];
    return NULL;
}

/* The rows of the claims of this result that none before it has, from all results. */
static enum status add_claims(const struct judged_result *results, size_t at, size_t count, struct table *table,
                              struct error *error)
{
    struct parts parts = {.part = NULL};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < results[at].count; i += findings_of_claim(&results[at])) {
        const struct claim *claim = results[at].findings[i].claim;
        bool had = false;
        for (size_t r = 0; r < at && !had; r++)
            had = find_claim(&results[r], claim) != NULL;
        parts.count = 0;
        parts.several = false;
        for (size_t r = at; r < count && !had; r++) {
            const struct finding *findings = find_claim(&results[r], claim);
            if (findings != NULL)
                TRY_OR(end, collect(&results[r], findings, &parts, error));
        }
        keep_worst(&parts);
        if (parts.count > 0)
            TRY_OR(end, fill_row(results[at].name, claim, &parts, table, error));
    }
end:
    free(parts.part);
    return status;
}

/* A result that cannot be read is a row, too. */
static enum status add_unreadable(const char *name, const char *why, struct table *table, struct error *error)
{
    TRY(table_text(table, name, error));
    for (size_t c = INDEX_CLAIM; c < INDEX_COLUMNS; c++)
        TRY(c == INDEX_VERDICT ? table_verdict(table, TABLE_OPEN, "not measured", error)
            : c == INDEX_NOTE  ? table_text(table, why, error)
                               : table_nothing(table, error));
    return STATUS_OK;
}

static int is_result_name(const struct dirent *entry)
{
    return text_is_name(entry->d_name);
}

static bool is_result(const char *directory, const char *name)
{
    char path[4000];
    return (size_t)snprintf(path, sizeof path, "%s/%s/spec.yaml", directory, name) < sizeof path
           && access(path, F_OK) == 0;
}

static bool is_wanted(const char *name, const char *const *names)
{
    bool wanted = names[0] == NULL;
    for (size_t i = 0; names[i] != NULL && !wanted; i++)
        wanted = strcmp(names[i], name) == 0;
    return wanted;
}

enum status index_table(const char *directory, const char *const *names, struct table *out, struct error *error)
{
    struct dirent **entry = NULL;
    *out = (struct table){.anchor = "", .anchor_end = "/report.html", .column = columns, .columns = INDEX_COLUMNS};
    const int entries = scandir(directory, &entry, is_result_name, alphasort);
    size_t count = 0;
    struct judged_result *results = array_new(entries > 0 ? (size_t)entries : 1, sizeof *results);
    enum status status = STATUS_OK;
    if (results == NULL)
        TRY_OR(end, fail_with(error, STATUS_MEMORY, "out of memory for an index"));
    for (size_t i = 0; names[i] != NULL; i++)
        if (!is_result(directory, names[i]))
            TRY_OR(end, fail_with(error, STATUS_IO, "%s: no result %s there", directory, names[i]));
    for (int i = 0; i < entries; i++)
        if (is_wanted(entry[i]->d_name, names) && is_result(directory, entry[i]->d_name))
            TRY_OR(end, judge_result(directory, entry[i]->d_name, &results[count++], error));
    for (size_t r = 0; r < count; r++)
        TRY_OR(end, results[r].unreadable.status == STATUS_OK
                        ? add_claims(results, r, count, out, error)
                        : add_unreadable(results[r].name, results[r].unreadable.text, out, error));
    if (out->cells == 0)
        status = fail_with(error, STATUS_IO, "%s: no directory there holds an experiment's results with claims",
                           directory);
end:
    for (size_t r = 0; r < count; r++)
        result_forget(&results[r]);
    free(results);
    for (int i = 0; i < entries; i++)
        free(entry[i]);
    free(entry);
    return status;
}

/* ---- Files ---- */

static struct table_view shown(const struct table *table)
{
    static const enum index_column order[] = {INDEX_NAME,   INDEX_CLAIM, INDEX_VERDICT, INDEX_STATEMENT,
                                              INDEX_METRIC, INDEX_WORST, INDEX_LIMIT,   INDEX_BOUND,
                                              INDEX_SLACK,  INDEX_NOTE,  INDEX_FINITE,  INDEX_SOURCE};
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
    static const enum index_column narrow[] = {INDEX_NAME,   INDEX_CLAIM, INDEX_METRIC,  INDEX_WORST, INDEX_LIMIT,
                                               INDEX_FINITE, INDEX_BOUND, INDEX_VERDICT, INDEX_SLACK};
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
    fputs("# Claims\n\n", file.stream);
    table_markdown(shown(table), file.stream);
    fprintf(file.stream, "\n%s\n", how_to_read);
    return report_close(&file, STATUS_OK, error);
}

static enum status write_html(const char *directory, const struct table *table, struct error *error)
{
    struct report_file file;
    TRY(report_open(directory, "index.html", &file, error));
    report_html_head("Claims", true, file.stream);
    fputs("<header><h1>Claims</h1></header><main>\n", file.stream);
    table_html(shown(table), file.stream);
    fprintf(file.stream, "<p>%s</p>\n</main></body></html>\n", how_to_read);
    return report_close(&file, STATUS_OK, error);
}

enum status index_write(const char *directory, const struct table *table, struct error *error)
{
    TRY(write_markdown(directory, table, error));
    return write_html(directory, table, error);
}
