/* Runs the unit tests. Output follows CK_VERBOSITY, a single suite or test case CK_RUN_SUITE and CK_RUN_CASE. */
#include <cblas.h>
#include <gsl/gsl_errno.h>
#include <stdlib.h>

#include "experiment/store.h"

#include "test/suites.h"

static Suite *(*const suites[])(void) = {
    vmath_suite, random_suite, schedule_suite, sampler_suite, target_suite, score_error_suite, joint_level_suite, chains_suite, projected_suite, estimators_suite, panels_suite, line_suite, line_error_suite, radial_suite, radial_parts_suite, gaussian_suite, compose_suite, brute_suite, toy_suite, fit_suite, claims_suite, spec_suite, store_suite, isolate_suite, limits_suite, corpus_suite, planted_suite, diff_suite, check_suite, cli_suite, explain_suite, report_suite, slurm_suite, plane_suite, plugin_suite, manual_suite, readme_suite, plan_suite, interruptions_suite,
};

int main(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "120", 0); /* seconds a test; enough under sanitizers */
    (void)gsl_set_error_handler_off();
    openblas_set_num_threads(1); /* cells are run by threads, each with its own small matrices */
    store_init();
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
