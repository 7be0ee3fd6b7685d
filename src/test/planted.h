/* Planted results: records made up for a test, stored and read back like an experiment's. */
#ifndef TEST_PLANTED_H
#define TEST_PLANTED_H

#include <check.h>
#include <math.h>

#include "verdict/claims.h"

/* Writes the records as the result of the experiment `text` and reads them back. */
void planted_read_back(const char *text, const struct record *rows, size_t count, struct evidence *evidence);

/* The finding of this claim and target; fails the test if there is none. */
const struct finding *planted_find(const struct finding *findings, size_t count, const char *claim,
                                   const char *target);

/* What each finding keeps of how it came about agrees with it: counts of cells, the numbers judged, the outcome. */
void check_accounts(const struct finding *findings, size_t count);

/* What is to be found of a claim about the target `planted`; lists end with claim == NULL. */
struct expected {
    const char *claim;
    enum outcome outcome;
    double value;               /* NAN: not measured, or no matter */
    const char *note, *verdict; /* parts of them, or NULL */
};

/* The findings are as expected, values within the tolerance; `name` for messages. With check_accounts. */
void planted_check(const char *name, const struct finding *findings, size_t count, const struct expected *expected,
                   double tolerance);

/* verdict.md of the evidence, for free(). */
char *planted_markdown(struct evidence *evidence);

/* schedule_c0, schedule_c1, score_error_roughness, score_error_probability; and the values of rows by li-cai. */
extern const struct parameter_columns planted_parameters;

/* store_write of an array. */
enum status store_array(const char *path, const struct record *rows, size_t count,
                        const struct parameter_columns *parameters, const struct fact *facts, struct error *error);
#define PLANTED_PARAMETERS \
    { \
        2.0, 8.5, NAN, NAN \
    }
void plant_error(struct record *row, const struct score_error *error); /* record_set_score_error with them */
void plant_names(struct record *row, const char *sampler); /* of the target `planted`, by li-cai, of exact scores */

#endif
