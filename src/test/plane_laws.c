#include "test/plane_laws.h"

#include <math.h>
#include <string.h>

#include "test/laws.h"
#include "test/suite.h"
#include "test/targets.h"

const double half[] = {0.5, 0.5}, third[] = {0.3, 0.3, 0.4}, quarter[] = {0.25, 0.25, 0.25, 0.25};
const double corners[] = {-1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0}, triangle[] = {-0.9, -0.5, 0.9, -0.4, 0.1, 1.0};
const double equal[] = {0.3, 0.3, 0.3, 0.3}, unequal[] = {0.35, 0.3, 0.45};
static const double pair[] = {-1.0, 1.0};

const struct factor product = {2, 4, quarter, corners, equal, NULL, NULL, NULL};
const struct factor one_coordinate = {1, 2, half, pair, equal, NULL, NULL, NULL};
const struct factor three = {2, 3, third, triangle, unequal, NULL, NULL, NULL};

struct factor eased(struct factor factor)
{
    static const double wider[] = {0.4, 0.4, 0.4, 0.4};
    factor.sd = taken(2) == 2 ? factor.sd : wider;
    return factor;
}

double finer(void)
{
    return taken(2) == 2 ? 1.25 : 1.0;
}

struct law compute(const struct law_problem *problem, double resolution)
{
    struct law law;
    const struct law_engine *engine = law_engine_for(problem);
    ck_assert_ptr_nonnull(engine);
    ASSERT_OK(compute_by, engine, problem, resolution, &law);
    return law;
}

void agree(struct measured a, struct measured b, double relative, const char *what, const char *where)
{
    int known = !isnan(a.value) && !isnan(b.value);
    ck_assert_msg(known || (strcmp(what, "KL(q|p)") == 0 || strcmp(what, "chi2") == 0), "%s: %s is not known", where,
                  what);
    if (!known || (isinf(a.value) && isinf(b.value))) /* what lies beyond the grid may leave these two open */
        return;
    ck_assert(isfinite(a.value) && isfinite(b.value) && a.error > 0.0 && b.error > 0.0);
    ck_assert_msg(fabs(a.value - b.value) <= fmin(a.error + b.error, relative * fabs(b.value)),
                  "%s: %s %.12g +- %.3g against %.12g +- %.3g", where, what, a.value, a.error, b.value, b.error);
}

struct divergence at_resolution(const struct law_problem *problem, double resolution)
{
    OWNED(law) law = compute(problem, resolution);
    struct divergence divergence = divergences_of(&law, 1.0);
    return divergence;
}

struct target plane_target(const struct factor *factor)
{
    struct target target;
    target_init(&target, target_family_find("mixture-plane"));
    set_mixture(&target, factor->components, factor->weight, factor->mean, factor->sd);
    return target;
}

struct measurement measure(const struct target *target, const char *sampler, const struct score_error *error,
                           size_t T, size_t dimension)
{
    OWNED_SCHEDULE *schedule = make_li_cai(T);
    struct measurement out;
    struct error failure = {STATUS_OK, ""};
    enum status status = measure_target(&(struct measure_problem){target, sampler_find(sampler), error, schedule, 1},
                                        &dimension, 1, &out, &failure);
    ck_assert_msg(status == STATUS_OK, "%s", failure.text);
    return out;
}
