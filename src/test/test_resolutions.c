/* How many resolutions law_compute_by takes: of an engine that is the line's at a part of its resolution, where the
 * radius is known to be more than is wanted, and counts the laws that it is asked for. */
#include <math.h>
#include <stdint.h>

#include "law/tuning.h"

#include "law/integrals.h"
#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(resolutions);

static const struct {
    const char *name;
    size_t dear;    /* law_engine.dear */
    double power;   /* law_engine.radius_power */
    double part;    /* of the line's resolution */
    double factor;  /* by which radii are made larger */
    double kept;    /* the part of the radius that no resolution is said to take away */
    size_t laws;    /* how many are computed */
    double highest; /* of the resolutions, at most */
    double radius;  /* of E_p|r - 1|, at most */
} cases[] = {{"any law", 0, 0.0, 0.3, 1.0, 0.0, 3, 2.5, 5e-6},
             {"not dear", SIZE_MAX, 0.0, 0.3, 1.0, 0.0, 3, 2.5, 5e-6},
             {"dear", 1, 0.0, 0.3, 1.0, 0.0, 1, 1.0, DEAR_RADIUS},
             {"dear, the radius too large", 1, 5.0, 0.2, 5.0, 0.0, 2, 1.45, DEAR_RADIUS},
             {"a tenth of the radius stays", 0, 0.0, 0.3, 1.0, 0.1, 3, 2.5, 5e-6},
             {"most of it stays", 0, 0.0, 0.3, 1.0, 0.9, 1, 1.0, 1e-4}};

static int running;
static size_t laws;
static double highest;

static enum status compute_coarse(const struct law_problem *problem, double resolution, struct law *out,
                                  struct error *error)
{
    laws++;
    highest = fmax(highest, resolution);
    TRY(engine_called("line")->compute(problem, cases[running].part * resolution, out, error));
    out->error_l1 *= cases[running].factor;
    out->error_kept = cases[running].kept * out->error_l1;
    return STATUS_OK;
}

static void distance_of(size_t n, const double *log_ratio, double *out)
{
    for (size_t j = 0; j < n; j++)
        out[j] = fabs(expm1(log_ratio[j]));
}

TEST(test_resolutions, .count = COUNT(cases))
{
    static const double weight[] = {0.4, 0.6}, mean[] = {-1.0, 0.7}, sd[] = {0.2, 0.3};
    static const struct factor factor = {1, 2, weight, mean, sd, NULL, NULL, NULL};
    const char *name = cases[_i].name;
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    const struct law_problem problem = {.factor = &factor, .sampler = sampler_find("ddpm"), .schedule = schedule};
    struct law_engine engine = *engine_called("line");
    engine.dear = cases[_i].dear;
    engine.radius_power = cases[_i].power;
    engine.compute = compute_coarse;
    running = _i;
    laws = 0;
    highest = 0.0;
    struct law found, fine;
    double distance;
    ASSERT_OK(law_compute_by, &engine, &problem, &found);
    ASSERT_OK(compute_by, engine_called("line"), &problem, 1.0, &fine);
    ASSERT_OK(law_integrate, &found, 1, distance_of, &distance, NULL);
    assert_agree(divergences_of(&found, 1.0).tv, divergences_of(&fine, 1.0).tv, "TV", name);
    double radius = (found.error_l1 + fabs(found.mass_defect)) / distance;
    law_free(&found);
    law_free(&fine);
    ck_assert_msg(laws == cases[_i].laws, "%s: %zu laws", name, laws);
    ck_assert_msg(highest <= cases[_i].highest, "%s: a resolution of %g", name, highest);
    ck_assert_msg(radius <= cases[_i].radius, "%s: a radius of %g", name, radius);
}
