#include "report/explain.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "report/table.h"

/* ---- One judgement ---- */

/* "the lower end of the interval were above 0.55; it is 0.46" */
static void put_condition(const struct condition *condition, const char *verb, char *text, size_t size)
{
    static const char *const relations[] = {
        [ABOVE] = "above", [BELOW] = "below", [AT_MOST] = "at most", [AT_LEAST] = "at least"};
    (void)snprintf(text, size, "%s %s %s %.6g; it is %.6g", condition->quantity, verb, relations[condition->relation],
                   condition->threshold, condition->value);
}

static void say(void (*line)(void *context, const char *text), void *context, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(void (*line)(void *context, const char *text), void *context, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    line(context, text);
}

void judgement_title(const struct judgement *judgement, char text[JUDGEMENT_TITLE])
{
    const struct exponent *exponent = &judgement->exponent;
    char number[EXPONENT_TEXT];
    exponent_text(exponent->value, exponent->interval, number);
    if (exponent->interval > 0.0 || judgement->regression.y[0] != '\0')
        (void)snprintf(text, JUDGEMENT_TITLE, "%s = %s, bound %g", judgement->of, number, judgement->bound);
    else
        (void)snprintf(text, JUDGEMENT_TITLE, "%s", judgement->of);
}

static void explain_shift(const char *without, double value, const struct exponent *exponent,
                          void (*line)(void *context, const char *text), void *context)
{
    if (isnan(value))
        say(line, context, "  without %s too little is left for a slope", without);
    else
        say(line, context, "  without %s the slope is %.6g, a shift of %.6g", without, value,
            fabs(value - exponent->value));
}

static void explain_fit(const struct judgement *judgement, void (*line)(void *context, const char *text),
                        void *context)
{
    const struct regression_words *words = &judgement->regression;
    const struct exponent *exponent = &judgement->exponent;
    say(line, context,
        "least squares of %s against %s over %zu cells, with a constant of its own for each %s (mean constant %.6g, "
        "rms residual %.3g)",
        words->y, words->x, judgement->cells, words->group, exponent->constant, exponent->rms);
    say(line, context, "the interval's half-width %.6g is %.6g (least squares, 95%%) + %.6g (the larger shift)",
        exponent->interval, exponent->least_squares, exponent->interval - exponent->least_squares);
    explain_shift(words->extreme, exponent->without_extreme, exponent, line, context);
    explain_shift(words->smallest, exponent->without_smallest, exponent, line, context);
}

void explain_judgement(const struct judgement *judgement, void (*line)(void *context, const char *text),
                       void *context)
{
    char text[300];
    size_t decided = judgement->decided;
    if (judgement->regression.y[0] != '\0')
        explain_fit(judgement, line, context);
    if (decided < judgement->conditions) {
        put_condition(&judgement->condition[decided], "is", text, sizeof text);
        say(line, context, "%s, because %s", judgement->condition[decided].word, text);
    } else
        say(line, context, "%s, because no condition holds", judgement->otherwise);
    for (size_t i = 0; i < judgement->conditions; i++) {
        if (i == decided)
            continue;
        put_condition(&judgement->condition[i], "were", text, sizeof text);
        say(line, context, "%s be %s if %s", i < decided ? "it would" : "without that it would",
            judgement->condition[i].word, text);
    }
    if (decided < judgement->conditions)
        say(line, context, "where nothing of this holds: %s", judgement->otherwise);
    if (judgement->superseded)
        say(line, context, "so at the T measured; the limit, judged next, decides instead");
}

/* ---- Cells ---- */

static const struct table_column columns[] = {
    {"counts as", LEFT}, {"cell", LEFT}, {"measured", LEFT}, {"why not used", LEFT}};

static const char *use_text(int use)
{
    static const char *const texts[] = {"left out", "used", "censored", "", "at start", "", "censored, at start", ""};
    return texts[use & 7];
}

static enum status add_cells(const struct account *account, size_t window, int used, struct table *table,
                             struct error *error)
{
    for (size_t i = 0; i < account->cells; i++) {
        const struct account_entry *cell = &account->cell[i];
        if (cell->window != window || (cell->use == CELL_USED) != used)
            continue;
        TRY(table_cells(table, error, "%s\t%s", use_text(cell->use), cell->where));
        TRY(table_cell_if(table, cell->measured[0] != '\0', error, "%s", cell->measured));
        TRY(table_cells(table, error, "%s", cell->reason != NULL ? cell->reason : ""));
    }
    return STATUS_OK;
}

static enum status print_window(const struct account *account, size_t window, FILE *file, struct error *error)
{
    struct table table = {.column = columns, .columns = sizeof columns / sizeof columns[0]};
    fprintf(file, "\nCells: %s\n  window: %s\n", account->window[window].of, account->window[window].rule);
    enum status status;
    TRY_OR(end, add_cells(account, window, 1, &table, error));
    TRY_OR(end, add_cells(account, window, 0, &table, error));
    TRY_OR(end, table_print(table_all(&table), file, error));
end:
    table_free(&table);
    return status;
}

/* ---- A finding ---- */

static void print_number(const char *what, double value, double interval, FILE *file)
{
    char text[EXPONENT_TEXT];
    exponent_text(value, interval, text);
    fprintf(file, "  %s: %s\n", what, text);
}

static void print_head(const struct finding *finding, FILE *file)
{
    const struct claim *claim = finding->claim;
    char verdict[100], predicted[CLAIM_PREDICTION];
    finding_verdict(finding, verdict, sizeof verdict);
    claim_prediction(claim, finding, predicted);
    fprintf(file, "%s, %s: %s\n", claim->name, finding->target, verdict);
    if (finding->measured)
        print_number("measured", finding->value, finding->interval, file);
    if (finding->has_limit)
        print_number("in the limit", finding->limit_value, finding->limit_interval, file);
    if (finding->has_raw)
        print_number("in T", finding->raw_value, finding->raw_interval, file);
    fprintf(file, "  predicted: %s, refuted by %s\n", predicted, claim->refuted_by);
    fprintf(file, "  cells: %zu used, %zu censored, %zu at start\n", finding->used, finding->censored,
            finding->at_start);
    if (finding->note[0] != '\0')
        fprintf(file, "  %s\n", finding->note);
}

static void print_line(void *context, const char *text)
{
    fprintf(context, "  %s\n", text);
}

static enum status print_account(const struct finding *finding, FILE *file, struct error *error)
{
    const struct account *account = finding->account;
    char title[JUDGEMENT_TITLE];
    enum outcome worst = OUTCOME_NOT_TIGHT;
    size_t judged = 0;
    for (size_t i = 0; i < account->windows; i++)
        TRY(print_window(account, i, file, error));
    for (size_t i = 0; i < account->judgements; i++) {
        const struct judgement *judgement = &account->judgement[i];
        judgement_title(judgement, title);
        fprintf(file, "\nJudged: %s\n", title);
        explain_judgement(judgement, print_line, file);
        if (judgement->superseded)
            continue;
        judged++;
        worst = judgement->outcome > worst ? judgement->outcome : worst;
    }
    if (account->judgements == 0)
        fputs("\nNothing was judged.\n", file);
    else if (worst != finding->outcome)
        fprintf(file, "\nWhat could not be judged makes it inconclusive: %s.\n", finding->note);
    else if (judged > 1)
        fprintf(file, "\nOf these %zu judgements the most severe is the verdict.\n", judged);
    return STATUS_OK;
}

/* "'x', expected one of a, b, c" from what `name` gives, up to NULL. */
static enum status fail_unknown(const char *kind, const char *name, const char *(*at)(const void *list, size_t i),
                                const void *list, struct error *error)
{
    char known[400] = "";
    size_t used = 0;
    for (size_t i = 0; at(list, i) != NULL && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", at(list, i));
    return fail_with(error, STATUS_INVALID, "no %s '%.60s' in this result, expected one of: %s", kind, name,
                     used > 0 ? known : "none");
}

/* The findings of one result, with the overall ones. */
struct findings {
    struct finding *finding;
    size_t count;
};

/* The i-th claim's overall finding comes last of its findings, and alone has no account. */
static const char *claim_of(const void *list, size_t i)
{
    const struct findings *findings = list;
    for (size_t f = 0; f < findings->count; f++)
        if (findings->finding[f].account == NULL && i-- == 0)
            return findings->finding[f].claim->name;
    return NULL;
}

static const char *target_of(const void *list, size_t i)
{
    const struct manifest *manifest = list;
    return i < manifest->target_count ? manifest->targets[i].name : NULL;
}

static enum status explain(const struct evidence *evidence, const struct findings *findings, const char *claim,
                           const char *target, FILE *file, struct error *error)
{
    size_t first = 0, targets = evidence->manifest.target_count, chosen = 0;
    while (first < findings->count && strcmp(findings->finding[first].claim->name, claim) != 0)
        first++;
    if (first == findings->count)
        return fail_unknown("claim", claim, claim_of, findings, error);
    const struct finding *of = &findings->finding[first];
    while (target != NULL && chosen < targets && strcmp(of[chosen].target, target) != 0)
        chosen++;
    if (chosen == targets)
        return fail_unknown("target", target, target_of, &evidence->manifest, error);
    fprintf(file, "%s\n  %s\n  statistic: %s\n\n", of->claim->statement, of->claim->source,
            claim_statistic(of->claim));
    if (target == NULL) {
        print_head(&of[targets], file);
        chosen = claims_worst(of, targets);
        for (size_t i = 0; i < targets; i++) {
            char verdict[100];
            finding_verdict(&of[i], verdict, sizeof verdict);
            fprintf(file, "  %s: %s%s\n", of[i].target, verdict, i == chosen ? ", which decides" : "");
        }
        fputc('\n', file);
    }
    print_head(&of[chosen], file);
    return print_account(&of[chosen], file, error);
}

enum status explain_print(const struct evidence *evidence, const char *claim, const char *target, FILE *file,
                          struct error *error)
{
    struct findings findings;
    enum status status = claims_decide(evidence, &findings.finding, &findings.count, error);
    if (status == STATUS_OK)
        status = explain(evidence, &findings, claim, target, file, error);
    findings_free(findings.finding, findings.count);
    return status;
}
