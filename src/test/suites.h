/* The suites of the unit tests, one a file test_NAME.c. */
#ifndef TEST_SUITES_H
#define TEST_SUITES_H

#include <check.h>

Suite *vmath_suite(void);
Suite *random_suite(void);
Suite *schedule_suite(void);
Suite *sampler_suite(void);
Suite *target_suite(void);
Suite *score_error_suite(void);
Suite *joint_level_suite(void);
Suite *chains_suite(void);
Suite *projected_suite(void);
Suite *estimators_suite(void);
Suite *panels_suite(void);
Suite *line_suite(void);
Suite *line_error_suite(void);
Suite *radial_suite(void);
Suite *radial_parts_suite(void);
Suite *plane_suite(void);
Suite *gaussian_suite(void);
Suite *compose_suite(void);
Suite *brute_suite(void);
Suite *toy_suite(void);
Suite *fit_suite(void);
Suite *claims_suite(void);
Suite *spec_suite(void);
Suite *store_suite(void);
Suite *planted_suite(void);
Suite *isolate_suite(void);
Suite *limits_suite(void);
Suite *corpus_suite(void);
Suite *diff_suite(void);
Suite *check_suite(void);
Suite *cli_suite(void);
Suite *explain_suite(void);
Suite *report_suite(void);
Suite *slurm_suite(void);
Suite *plugin_suite(void);
Suite *manual_suite(void);
Suite *readme_suite(void);
Suite *plan_suite(void);
Suite *interruptions_suite(void);

#endif
