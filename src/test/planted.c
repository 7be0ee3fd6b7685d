#include "test/laws.h"
#include "test/planted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/report.h"
#include "results/store.h"
#include "verdict/judge.h"

#include "test/suite.h"

const struct parameter_columns planted_parameters = {
    4, {{"schedule_c0", ""}, {"schedule_c1", ""}, {"score_error_roughness", ""}, {"score_error_probability", ""}}};

enum status store_array(const char *path, const struct record *rows, size_t count,
                        const struct parameter_columns *parameters, const struct fact *facts, struct error *error)
{
    FREED const struct record **row = calloc(count + 1, sizeof *row);
    ck_assert_ptr_nonnull(row);
    for (size_t i = 0; i < count; i++)
        row[i] = &rows[i];
    return store_write(path, row, count, parameters, facts, error);
}

void plant_error(struct record *row, const struct score_error *error)
{
    record_set_score_error(row, error);
    row->parameter[2] = error_param(error, "roughness");
    row->parameter[3] = error_param(error, "probability");
}

void planted_read_back(const char *text, const struct record *rows, size_t count, struct evidence *evidence)
{
    char directory[] = "/tmp/diffrate-claims-XXXXXX", path[200];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/planted.h5", directory);
    const struct fact facts[] = {{"spec_text", text}, {"spec_name", "planted"}, {NULL, NULL}};
    ASSERT_OK(store_array, path, rows, count, &planted_parameters, facts);
    ASSERT_OK(evidence_read, directory, claim_names(), evidence);
    ck_assert_uint_eq(evidence->result.count, count);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(rmdir(directory), 0);
}

void plant_names(struct record *row, const char *sampler)
{
    (void)snprintf(row->target, sizeof row->target, "planted");
    (void)snprintf(row->sampler, sizeof row->sampler, "%s", sampler);
    (void)snprintf(row->schedule, sizeof row->schedule, "li-cai");
    (void)snprintf(row->law, sizeof row->law, "planted");
    record_set_score_error(row, &(struct score_error){.shape = NULL});
}

const struct finding *planted_find(const struct finding *findings, size_t count, const char *claim,
                                   const char *target)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(findings[i].claim->name, claim) == 0 && strcmp(findings[i].target, target) == 0)
            return &findings[i];
    ck_abort_msg("no finding %s, %s", claim, target);
    return NULL;
}

void planted_check(const char *name, const struct finding *findings, size_t count, const struct expected *expected,
                   double tolerance)
{
    for (const struct expected *e = expected; e->claim != NULL; e++) {
        const struct finding *f = planted_find(findings, count, e->claim, "planted");
        char verdict[100];
        finding_verdict(f, verdict, sizeof verdict);
        ck_assert_msg(f->outcome == e->outcome, "%s: %s is %s (%g +- %g; %s)", name, e->claim, verdict, f->value,
                      f->interval, f->note);
        ck_assert_int_eq(planted_find(findings, count, e->claim, "all targets")->outcome, e->outcome);
        const double value = f->measured ? f->value : finding_value(f); /* where no fit is, there may be a limit */
        if (!isnan(e->value))
            ck_assert_msg(finding_is_known(f) && fabs(value - e->value) < tolerance, "%s: %s measured %g, not %g",
                          name, e->claim, value, e->value);
        if (e->note != NULL)
            ck_assert_msg(strstr(f->note, e->note) != NULL, "%s: the note of %s is \"%s\"", name, e->claim, f->note);
        if (e->verdict != NULL)
            ck_assert_str_eq(verdict, e->verdict);
    }
    check_accounts(findings, count);
}

char *planted_markdown(struct evidence *evidence)
{
    char path[4200], *text = malloc(100000), made[] = "/tmp/diffrate-report-XXXXXX";
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(mkdtemp(made));
    (void)snprintf(evidence->directory, sizeof evidence->directory, "%s", made);
    OWNED(tables) tables;
    ASSERT_OK(tables_new, evidence, &tables);
    ASSERT_OK(report_markdown, &tables);
    (void)snprintf(path, sizeof path, "%s/verdict.md", made);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, 99999, file)] = '\0';
    ck_assert_int_eq(fclose(file), 0);
    ck_assert(remove(path) == 0 && rmdir(made) == 0);
    return text;
}
