#include "report/tables.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "verdict/exponents.h"

enum status table_exponent(struct table *table, bool present, struct exponent exponent, struct error *error)
{
    char text[EXPONENT_TEXT] = "";
    if (present)
        exponent_text(exponent.value, exponent.interval, text);
    return table_cell_if(table, present, error, "%s", text);
}

/* ---- Findings ---- */

static const struct table_column claim_columns[FINDING_COLUMNS] = {
    [FINDING_CLAIM] = {"claim", ROW_NAME},     [FINDING_TARGET] = {"target", LEFT},
    [FINDING_VERDICT] = {"verdict", LEFT},     [FINDING_MEASURED] = {"measured", RIGHT},
    [FINDING_LIMIT] = {"in the limit", RIGHT}, [FINDING_IN_T] = {"in T", RIGHT},
    [FINDING_PREDICTED] = {"predicted", LEFT}, [FINDING_CELLS] = {"cells used / censored / at start", RIGHT},
    [FINDING_CELLS_SHORT] = {"cells", RIGHT},  [FINDING_USED] = {"cells used", RIGHT},
    [FINDING_CENSORED] = {"censored", RIGHT},  [FINDING_AT_START] = {"at start", RIGHT},
    [FINDING_NOTE] = {"note", WRAPPED},        [FINDING_STATEMENT] = {"what it says", WRAPPED},
};

enum table_kind outcome_kind(enum outcome outcome)
{
    static const enum table_kind kinds[] = {
        [OUTCOME_NOT_CLAIMED] = TABLE_OPEN, [OUTCOME_NOT_JUDGED] = TABLE_OPEN,   [OUTCOME_NOT_TIGHT] = TABLE_GOOD,
        [OUTCOME_SUPPORTED] = TABLE_GOOD,   [OUTCOME_INCONCLUSIVE] = TABLE_OPEN, [OUTCOME_REFUTED] = TABLE_BAD};
    return kinds[outcome];
}

static enum status fill_finding(const struct finding *f, struct table *table, struct error *error)
{
    char verdict[100], predicted[CLAIM_PREDICTION];
    finding_verdict(f, verdict, sizeof verdict);
    claim_prediction(f->claim, f, predicted);
    TRY(table_cells(table, error, "%s\t%s", f->claim->name, f->target));
    TRY(table_verdict(table, outcome_kind(f->outcome), verdict, error));
    TRY(table_exponent(table, f->measured, (struct exponent){.value = f->value, .interval = f->interval}, error));
    TRY(table_exponent(table, f->has_limit, (struct exponent){.value = f->limit_value, .interval = f->limit_interval},
                       error));
    TRY(table_exponent(table, f->has_raw, (struct exponent){.value = f->raw_value, .interval = f->raw_interval},
                       error));
    TRY(table_cells(table, error, "%s", predicted));
    for (size_t i = 0; i < 2; i++)
        TRY(table_cells(table, error, "%zu / %zu / %zu", f->used, f->censored, f->at_start));
    return table_cells(table, error, "%zu\t%zu\t%zu\t%s\t%s", f->used, f->censored, f->at_start, f->note,
                       f->claim->statement);
}

struct table_view tables_findings(const struct tables *tables, const enum finding_column *columns, size_t count,
                                  size_t first, size_t step, size_t rows)
{
    struct table_view view = {.table = &tables->claims, .columns = count, .first = first, .step = step, .rows = rows};
    for (size_t c = 0; c < count; c++)
        view.column[c] = columns[c];
    return view;
}

/* ---- Exponents and speed-up ---- */

static const struct table_column exponent_columns[] = {
    {"target", LEFT},        {"sampler", LEFT},  {"T/log T in 1/ε", RIGHT}, {"T in 1/ε", RIGHT},
    {"T/log T in d", RIGHT}, {"TV in h", RIGHT}, {"KL(p‖q) in h", RIGHT},   {"cells", RIGHT}};

static enum status fill_exponents(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    int any = 0;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t sampler = 0; sampler < manifest->sampler_count; sampler++) {
            struct fit log_free = {0}, raw = {0}, tv, kl;
            if (manifest->accuracy_count > 0) {
                TRY(complexity_exponents(evidence, target, sampler, COST_LOG_FREE, false, NULL, &log_free, error));
                TRY(complexity_exponents(evidence, target, sampler, COST_STEPS, false, NULL, &raw, error));
            }
            TRY(divergence_exponents(evidence, target, sampler, offsetof(struct record, tv), 0.0, NULL, &tv, error));
            TRY(divergence_exponents(evidence, target, sampler, offsetof(struct record, kl_p_q), 0.0, NULL, &kl,
                                     error));
            TRY(table_cells(table, error, "%s\t%s", manifest->targets[target].name,
                            manifest->samplers[sampler].name));
            TRY(table_exponent(table, log_free.ok, log_free.x, error));
            TRY(table_exponent(table, raw.ok, raw.x, error));
            TRY(table_exponent(table, log_free.ok && log_free.has_d, log_free.d, error));
            TRY(table_exponent(table, tv.ok, tv.x, error));
            TRY(table_exponent(table, kl.ok, kl.x, error));
            const struct fit *shown[] = {&log_free, &raw, &tv, &kl}; /* cells are those of the first of them */
            size_t of = 0;
            while (of < 3 && !shown[of]->ok)
                of++;
            TRY(table_cells(table, error, "%zu", shown[shown[of]->ok ? of : 0]->cells));
            any |= log_free.ok | raw.ok | tv.ok | kl.ok;
        }
    if (!any)
        table_free(table);
    return STATUS_OK;
}

static const struct section section_exponents = {"Exponents of every sampler", COLUMNS(exponent_columns),
                                                 fill_exponents, 0};

static const struct table_column speedup_columns[] = {{"target", LEFT},
                                                      {"d", RIGHT},
                                                      {"ε", RIGHT},
                                                      {"T ddpm", RIGHT},
                                                      {"T accelerated", RIGHT},
                                                      {"speed-up in steps", RIGHT},
                                                      {"in score evaluations", RIGHT}};

static enum status fill_speedup(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t fast = evidence_sampler(evidence, "accelerated"), slow = evidence_sampler(evidence, "ddpm");
    if (fast == manifest->sampler_count || slow == manifest->sampler_count)
        return STATUS_OK;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t d = 0; d < manifest->dimension_count; d++)
            for (size_t e = manifest->accuracy_count; e-- > 0;) {
                const struct bracket *a = evidence_complexity(evidence, target, fast, d, e);
                const struct bracket *b = evidence_complexity(evidence, target, slow, d, e);
                if (a->reach != REACH_FOUND || b->reach != REACH_FOUND)
                    continue;
                double steps = (double)(b->passes - 1) / (double)(a->passes - 1);
                double evaluations = steps * (double)manifest->samplers[slow].score_evaluations
                                     / (double)manifest->samplers[fast].score_evaluations;
                TRY(table_cells(table, error, "%s\t%zu\t%g\t%zu\t%zu\t%.2f\t%.2f", manifest->targets[target].name,
                                manifest->dimensions[d], manifest->accuracies[e], b->passes, a->passes, steps,
                                evaluations));
                break; /* the smallest accuracy that both reach */
            }
    return STATUS_OK;
}

static const struct section section_speedup = {"Speed-up at the smallest ε that both samplers reach",
                                               COLUMNS(speedup_columns), fill_speedup, 0};

/* ---- Censored cells ---- */

static const struct table_column censored_columns[] = {{"target", LEFT},
                                                       {"sampler", LEFT},
                                                       {"d", RIGHT},
                                                       {"ε censored", WRAPPED},
                                                       {"ε met at the start", WRAPPED},
                                                       {"ε not resolved", WRAPPED}};

/* "0.1, 0.01": the ε of the brackets of one reach in one dimension. */
static enum status accuracies_cell(const struct manifest *manifest, const struct bracket *brackets, enum reach reach,
                                   struct table *table, struct error *error)
{
    char text[1200] = "";
    size_t used = 0;
    for (size_t e = 0; e < manifest->accuracy_count && used < sizeof text; e++)
        if (brackets[e].reach == reach)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%g", used > 0 ? ", " : "",
                                     manifest->accuracies[e]);
    return table_cell_if(table, used > 0, error, "%s%s", text, used < sizeof text ? "" : ", ...");
}

/* What no fit uses of T(d, eps). */
static enum status fill_censored(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t sampler = 0; sampler < manifest->sampler_count; sampler++)
            for (size_t d = 0; d < manifest->dimension_count && manifest->accuracy_count > 0; d++) {
                const struct bracket *brackets = evidence_complexity(evidence, target, sampler, d, 0);
                size_t found = 0;
                for (size_t e = 0; e < manifest->accuracy_count; e++)
                    found += brackets[e].reach == REACH_FOUND;
                if (found == manifest->accuracy_count)
                    continue;
                TRY(table_cells(table, error, "%s\t%s\t%zu", manifest->targets[target].name,
                                manifest->samplers[sampler].name, manifest->dimensions[d]));
                TRY(accuracies_cell(manifest, brackets, REACH_BEYOND, table, error));
                TRY(accuracies_cell(manifest, brackets, REACH_AT_START, table, error));
                TRY(accuracies_cell(manifest, brackets, REACH_OPEN, table, error));
            }
    return STATUS_OK;
}

/* ---- All of them ---- */

/* In the order of the report. */
static const struct section *const sections[] = {&section_targets,
                                                 &section_rates,
                                                 &section_frontiers,
                                                 &section_costs,
                                                 &section_exponents,
                                                 &section_speedup,
                                                 &section_complexity_under,
                                                 &section_score_errors,
                                                 &section_clipping,
                                                 &section_agreement,
                                                 &section_alone};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

enum status tables_new(const struct evidence *evidence, struct tables *out, struct error *error)
{
    *out = (struct tables){
        .evidence = evidence,
        .claims = {.anchor = "#claim-", .column = claim_columns, .columns = FINDING_COLUMNS},
        .censored = {.column = censored_columns, .columns = sizeof censored_columns / sizeof censored_columns[0]},
        .section = array_new(SECTIONS, sizeof *out->section),
        .shown = array_new(SECTIONS, sizeof *out->shown)};
    if (out->section == NULL || out->shown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for tables");
    TRY(claims_decide(evidence, &out->findings, &out->count, error));
    for (size_t i = 0; i < out->count; i++)
        TRY(fill_finding(&out->findings[i], &out->claims, error));
    TRY(fill_censored(evidence, &out->censored, error));
    for (; out->sections < SECTIONS; out->sections++) {
        const struct section *of = sections[out->sections];
        struct table *table = &out->section[out->sections];
        *table = (struct table){.title = of->title, .column = of->columns, .columns = of->column_count};
        TRY(of->fill(evidence, table, error));
        out->shown[out->sections] = table_all(table);
        for (size_t c = of->drops_empty ? of->column_count : 0; c-- > 0;)
            table_drop_empty(&out->shown[out->sections], c);
    }
    return STATUS_OK;
}

void tables_free(struct tables *tables)
{
    findings_free(tables->findings, tables->count);
    table_free(&tables->claims);
    table_free(&tables->censored);
    for (size_t i = 0; tables->section != NULL && i < SECTIONS; i++)
        table_free(&tables->section[i]);
    free(tables->section);
    free(tables->shown);
}

/* ---- How to read them ---- */

static const char how_to_read[] =
    "Exponents are of T/log T (the cost without the logarithms that Õ hides) unless a column says otherwise, with "
    "95% intervals that include what leaving out the smallest ε or the smallest d does to them. Theorems are upper "
    "bounds: an exponent below is consistent with one and its slack is printed; an interval wholly above (by more "
    "than 0.05) refutes it. Window: ε ≤ 0.1 and T within a factor 8 of the largest found. A cell is censored when no "
    "T up to max_steps reaches ε, at start when the smallest admissible T already does; both are left out of fits. "
    "In the limit: the exponent as h → 0, by Richardson extrapolation from TV (from KL) at the T that are powers of "
    "two, in the dimension where it is worst; exponents of d as d → ∞ too, from four dimensions on, in the same way "
    "in 1/d; where there is such a limit the verdict is taken on it, with 0.01 in "
    "place of 0.05. An interval wholly above its bound supports nothing. Of a claim with several bounds the one that "
    "fares worst is shown and the note has all; cells are those of the first bound on each sampler.";

static const char how_to_read_quantity[] =
    "Accuracies ε are not of TV but of the divergence that the experiment's accuracy_in names, and so are T(d, ε), "
    "its "
    "exponents and their limits; of W2 every ε is in the window. Built-in claims about T(d, ε) are about TV, and "
    "judged from TV at the T measured.";

static const char how_to_read_score_errors[] =
    "Score errors: the effect is the TV between the sampler's laws with and without the error, an upper bound of the "
    "excess TV, and C = effect/(ε_score √log T). Exponents are fitted at fixed T and d (in ε_score), at fixed "
    "ε_score and d (in T), at fixed ε_score and T (in d) and at all three fixed (in the roughness ω); the theorems "
    "allow C to grow in none of T, d and ω. Window: an effect of at most 0.1, known to a thousandth, and ω within a "
    "factor 64 of the largest; the other cells are unresolved (and counted as censored), and only bound C from "
    "above. The largest C and excess TV are those inside the window.";

static const char how_to_read_samples[] =
    "Chains: their numbers are estimates, lower or upper bounds, named as such, each with a standard error (se). z "
    "is by how many of them a number misses what the exact law and its radius allow: to either side for an estimate, "
    "to the wrong side for a bound. An estimator is silent where it is not defined (neighbours in more than ten "
    "dimensions, weights of deterministic samplers) or refused (weights of too few effective paths).";

const char *tables_note(const struct manifest *manifest, size_t index)
{
    const struct {
        int applies;
        const char *text;
    } notes[] = {{1, how_to_read},
                 {manifest->accuracy_in != accuracy_quantities, how_to_read_quantity},
                 {manifest->score_error_count > 1, how_to_read_score_errors},
                 {manifest->chain_count > 0, how_to_read_samples}};
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (notes[i].applies && index-- == 0)
            return notes[i].text;
    return NULL;
}

/* ---- Files ---- */

enum status report_open(const char *directory, const char *name, struct report_file *out, struct error *error)
{
    *out = (struct report_file){.directory = directory, .name = name};
    out->stream = open_memstream(&out->text.data, &out->text.length);
    return out->stream != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for %s", name);
}

enum status report_close(struct report_file *file, enum status status, struct error *error)
{
    char path[4200];
    if (file->stream == NULL)
        return status;
    bool bad = ferror(file->stream) != 0;
    bad |= fclose(file->stream) != 0;
    (void)snprintf(path, sizeof path, "%s/%s", file->directory, file->name);
    if (status == STATUS_OK)
        status = bad ? fail_with(error, STATUS_MEMORY, "out of memory for %s", path)
                     : file_replace(path, &file->text, error);
    free(file->text.data);
    return status;
}
