/* Targets much wider than N(0, I), with which q starts, at level T: the law by the line and the radial engines has
 * the divergences of the closed form, or is refused where the mean is far out. */
#include <stdio.h>

#include "law/divergence.h"

#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(wide);

static const struct {
    size_t dimension, T;
    double c0, mean, sd; /* sd = 0: all of sds */
} cases[] = {
    {1, 94, 1.0, 0.16, 6996.0}, {1, 48, 1.0, 0.0, 0.0},   {2, 48, 1.0, 0.0, 0.0},     {1, 48, 2.0, 300.0, 0.0},
    {16, 48, 2.0, 0.0, 0.0}, /* a small run takes the first FEW */
    {1, 48, 1.0, 300.0, 0.0},   {1, 48, 2.0, 0.0, 0.0},   {2, 48, 2.0, 0.0, 0.0},     {1, 94, 1.0, 0.0, 0.0},
    {1, 94, 1.0, 300.0, 0.0},   {1, 94, 2.0, 0.0, 0.0},   {1, 94, 2.0, 300.0, 0.0},   {2, 94, 1.0, 0.0, 0.0},
    {16, 94, 2.0, 0.0, 0.0},    {1, 256, 1.0, 0.0, 0.0},  {1, 256, 1.0, 300.0, 0.0},  {1, 256, 2.0, 0.0, 0.0},
    {1, 256, 2.0, 300.0, 0.0},  {2, 256, 2.0, 0.0, 0.0},  {16, 256, 1.0, 0.0, 0.0},   {1, 1024, 1.0, 0.0, 0.0},
    {1, 1024, 1.0, 300.0, 0.0}, {1, 1024, 2.0, 0.0, 0.0}, {1, 1024, 2.0, 300.0, 0.0}, {2, 1024, 1.0, 0.0, 0.0},
    {16, 1024, 2.0, 0.0, 0.0},
};
enum { FEW = 5 };

static const double sds[] = {0x1p1, 1e1, 3e1, 1e2, 3e2, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6};
static const char *const samplers[] = {"ddpm", "accelerated", "ddim"};

/* With a mean so many standard deviations out q starts where p's panels end. */
#define FAR_OUT 9.0

static void compare(int i, double sd, const struct sampler *sampler, const struct schedule *schedule)
{
    static const double one = 1.0;
    size_t d = cases[i].dimension;
    const double *mean = &cases[i].mean;
    const struct factor factor = {d, 1, &one, d == 1 ? mean : NULL, &sd, NULL, NULL, NULL},
                        alone = {1, 1, &one, mean, &sd, NULL, NULL, NULL};
    const struct law_problem problem = {.factor = &factor, .sampler = sampler, .schedule = schedule};
    const struct law_problem closed_problem = {.factor = &alone, .sampler = sampler, .schedule = schedule};
    const char *engine = d == 1 ? "line" : "radial";
    OWNED(law) law;
    OWNED(law) closed_law;
    struct divergence found, closed;
    struct error error = {STATUS_OK, ""};
    char where[200];
    ASSERT_OK(engine_called("gaussian")->compute, &closed_problem, 1.0, &closed_law);
    closed = divergences_of(&closed_law, (double)d);
    enum status status = compute_by(engine_called(engine), &problem, 1.0, &law, &error);
    if (status == STATUS_OK)
        status = law_tail_variance(&problem, &law.tail_variance, &error);
    if (status == STATUS_OK)
        status = divergence_measure(&(struct law_group){&law, 1.0}, 1, &found, &error);
    if (status == STATUS_NUMERIC && *mean > FAR_OUT * sd)
        return;
    (void)snprintf(where, sizeof where, "%s, d = %zu, sd %g, mean %g, %s, T = %zu, c0 = %g", engine, d, sd, *mean,
                   sampler->name, schedule->T, cases[i].c0);
    ck_assert_msg(status == STATUS_OK, "%s: %s", where, error.text);
    assert_all_agree(&found, &closed, where);
}

TEST(test_against_closed_form, .count = taken(2) == 2 ? COUNT(cases) : FEW, .grows = 1)
{
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", cases[_i].c0, 3.0, cases[_i].T);
    for (int k = 0; k < (cases[_i].sd > 0.0 ? 1 : COUNT(sds)); k++)
        for (int s = 0; s < COUNT(samplers); s++)
            if ((size_t)(k + s) % 3 < taken(3))
                compare(_i, cases[_i].sd > 0.0 ? cases[_i].sd : sds[k], sampler_find(samplers[s]), schedule);
}
