/* What tests of densities on the line share: one of every family, coded a second time. */
#ifndef TEST_DENSITY_CASES_H
#define TEST_DENSITY_CASES_H

#include "model/target.h"

enum { DENSITY_CASES = 6, MOST_KINKS = 5 };
extern const struct density_case {
    const char *family;
    long double (*shape)(long double place,
                         long double u); /* unnormalised, at place + u, with all digits of either */
    double scale, lowest, highest;       /* on which it varies; where its mass is */
    int kinks;
    double kink[MOST_KINKS];
} density_cases[DENSITY_CASES];

/* For target_clear, except of the tabulated one, whose numbers are borrowed. */
struct target density_target(const struct density_case *of);
struct factor_list density_factors(const struct density_case *of); /* for factor_list_free() */

/* The factor as point masses of a rule of its own, in a block of 3 BRUTE_COMPONENTS numbers: at levels with so much
 * noise the mixture is the same law. */
struct factor density_masses(const struct density_case *of, double *block);

#endif
