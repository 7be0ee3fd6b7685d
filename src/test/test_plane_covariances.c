/* The plane engine on components with covariances of their own: against products of laws on two lines, turned, and of
 * needles that cross against the same turned. */
#include <math.h>

#include "law/integrals.h"
#include "test/laws.h"
#include "test/plane_laws.h"
#include "test/suite.h"

TEST_SUITE(plane_covariances);

/* Covariances of their own: products of unequal modes on two lines, the widths of the second scaled, turned by an
 * angle; by 0 they are diagonal, the first variance the larger. The last are a hundred times as long as they are
 * wide. */
static const struct {
    const char *sampler;
    double angle, width;
    size_t T, across; /* modes on the second line */
    double resolution, relative;
} turned[] = {{"ddpm", 0.0, 0.4, 32, 1, 0.5, 1e-4},        {"ddpm", 0.6, 0.5, 48, 1, 0.5, 1e-4},
              {"accelerated", 2.2, 0.5, 64, 2, 0.4, 1e-3}, {"pf-ode-2", 0.6, 0.5, 64, 1, 0.5, 1e-3},
              {"ddim", 0.6, 0.5, 64, 2, 0.5, 1e-2},        {"pf-ode-2", 1.9, 0.3, 128, 2, 0.5, 1e-3},
              {"ddpm", 0.3, 1.0, 64, 2, 0.5, 1e-4},        {"ddpm", 0.7, 0.01, 64, 1, 0.5, 1e-3}};

enum { FEW_TURNED = 4 };

TEST(test_full_covariances, .count = taken(2) == 2 ? COUNT(turned) : FEW_TURNED, .grows = 1)
{
    static const double weight[2][2] = {{0.3, 0.7}, {0.6, 0.4}}, mean[2][2] = {{-1.0, 0.8}, {0.5, -0.6}};
    const double angle = turned[_i].angle, c = cos(angle), s = sin(angle),
                 sd[2][2] = {{0.25, 0.5}, {turned[_i].width * 0.25, turned[_i].width * 0.5}}, one = 1.0;
    double weights[4], means[8], matrix[16];
    size_t across = turned[_i].across;
    for (size_t k = 0; k < 2 * across; k++) {
        size_t i = k % 2, j = k / 2;
        double x = mean[0][i], y = mean[1][j], a = sd[0][i] * sd[0][i], b = sd[1][j] * sd[1][j];
        weights[k] = weight[0][i] * (across > 1 ? weight[1][j] : 1.0);
        means[2 * k] = c * x - s * y;
        means[2 * k + 1] = s * x + c * y;
        matrix[4 * k] = c * c * a + s * s * b;
        matrix[4 * k + 1] = matrix[4 * k + 2] = c * s * (a - b);
        matrix[4 * k + 3] = s * s * a + c * c * b;
    }
    const struct covariances full = {2 * across, matrix};
    const struct factor plane = {2, 2 * across, weights, means, NULL, &full, NULL, NULL},
                        line[2] = {{1, 2, weight[0], mean[0], sd[0], NULL, NULL, NULL},
                                   {1, across, across > 1 ? weight[1] : &one, mean[1], sd[1], NULL, NULL, NULL}};
    OWNED_SCHEDULE *schedule = make_li_cai(turned[_i].T);
    struct law_problem problem = {
        .factor = &plane, .sampler = sampler_find(turned[_i].sampler), .schedule = schedule};
    OWNED(law) law = compute(&problem, turned[_i].resolution);
    ck_assert_str_eq(law.engine->name, "plane");
    struct law lines[2];
    struct law_group groups[2];
    for (size_t i = 0; i < 2; i++) {
        problem.factor = &line[i];
        lines[i] = compute(&problem, 1.0);
        groups[i] = (struct law_group){&lines[i], 1.0};
    }
    struct divergence a = divergences_of(&law, 1.0), b;
    ASSERT_OK(divergence_measure, groups, 2, &b);
    agree(a.tv, b.tv, turned[_i].relative, "TV", "turned");
    agree(a.kl_p_q, b.kl_p_q, 10.0 * turned[_i].relative, "KL(p|q)", "turned");
    struct measured whole[4], part[2][2];
    ASSERT_OK(law_mass_errors, &law, &plane, whole);
    for (size_t i = 0; i < 2; i++)
        ASSERT_OK(law_mass_errors, &lines[i], &line[i], part[i]);
    for (size_t k = 0; k < 2 * across; k++) { /* of a product, (1 + m_i)(1 + m_j) = 1 + m_ij */
        struct measured a_mass = part[0][k % 2], b_mass = part[1][k / 2];
        struct measured expected = {a_mass.value + b_mass.value + a_mass.value * b_mass.value,
                                    2.0 * (a_mass.error + b_mass.error)};
        assert_agree(whole[k], expected, "mass", "turned");
    }
    law_free(&lines[0]);
    law_free(&lines[1]);
}

/* Two needles that cross, and the same turned: between them log r is beyond all numbers. */
TEST(test_crossing_needles, .grows = 1)
{
    static const double centred[] = {0.0, 0.0, 0.0, 0.0};
    const double narrow = 1.0 / (taken(2) == 2 ? 45.0 : 10.0);
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    struct divergence found[2];
    for (int turn = 0; turn < 2; turn++) {
        double matrix[8];
        for (int k = 0; k < 2; k++) {
            double angle = (k == 0 ? 0.7 : -0.7) + 0.3 * turn, c = cos(angle), s = sin(angle), b = narrow * narrow;
            matrix[4 * k] = c * c + s * s * b;
            matrix[4 * k + 1] = matrix[4 * k + 2] = c * s * (1.0 - b);
            matrix[4 * k + 3] = s * s + c * c * b;
        }
        const struct covariances full = {2, matrix};
        const struct factor factor = {2, 2, half, centred, NULL, &full, NULL, NULL};
        const struct law_problem problem = {.factor = &factor, .sampler = sampler_find("ddpm"), .schedule = schedule};
        found[turn] = at_resolution(&problem, taken(2) == 2 ? 1.0 : 0.4);
        ck_assert_double_lt(found[turn].tv.error, 0.01 * found[turn].tv.value);
    }
    agree(found[0].tv, found[1].tv, 1e-2, "TV", "needles");
}
