/* Panels: that they tile what they are to cover, at any ratio of scales; that what they interpolate is accurate; that
 * their number stays small. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "law/panels.h"

#include "test/suite.h"

TEST_SUITE(panels);

enum { MOST = 24 };

struct mixture {
    const char *name;
    size_t components;
    double weight[MOST], mean[MOST], sd[MOST];
};

static const struct mixture mixtures[] = {
    {"gauss", 1, {1.0}, {0.3}, {0.5}},
    {"bimodal", 2, {0.5, 0.5}, {-1.0, 1.0}, {0.3, 0.3}},
    {"skewed", 3, {0.2, 0.5, 0.3}, {-1.5, 0.0, 1.0}, {0.2, 0.5, 0.3}},
    {"separated", 2, {0.3, 0.7}, {-1.8, 1.8}, {0.3, 0.3}},
    {"bridged", 2, {0.3, 0.7}, {-1.5, 1.5}, {0.1, 0.1}}, /* 30 standard deviations */
    {"bridged by the wider", 2, {0.3, 0.7}, {-15.0, 0.0}, {1.0, 1e-3}},
    {"apart", 2, {0.3, 0.7}, {-2.0, 2.0}, {0.1, 0.1}},
    {"atoms", 2, {0.3, 0.7}, {-1.0, 1.0}, {0.0, 0.0}},
    {"atoms in a Gaussian", 3, {0.3, 0.3, 0.4}, {-1.0, 0.3, 2.0}, {0.0, 0.0, 1.0}},
    {"a Gaussian with atoms", 3, {0.4, 0.3, 0.3}, {2.0, 0.3, -1.0}, {1.0, 0.0, 0.0}},
    {"three scales", 3, {0.3, 0.3, 0.4}, {3.0, 0.0, 5e5}, {1e-6, 1.0, 1e6}},
    {"three scales, far off", 3, {0.3, 0.3, 0.4}, {-4e6, 2.0, 7.0}, {1e-6, 1.0, 1e6}},
    {"three scales, small weights", 3, {1e-6, 0.3, 0.7}, {7.0, 2e5, -4e6}, {1.0, 1e-6, 1e6}},
    {"three scales, one centre", 3, {0.3, 0.3, 0.4}, {0.0, 0.0, 0.0}, {1e-6, 1.0, 1e6}},
    {"close", 2, {0.5, 0.5}, {0.0, 1e-3}, {1.0, 1.0}},
    {"close, of two widths", 2, {0.5, 0.5}, {0.0, 1e-3}, {1.0, 1.2}},
    {"close and narrow", 3, {0.3, 0.3, 0.4}, {1.0, 1.0 + 1e-15, 0.0}, {1e-12, 1e-12, 1.0}},
    {"narrow at the end", 2, {0.5, 0.5}, {0.0, -9.4}, {1.0, 1e-9}},
    {"24 scales", MOST, {0.0}, {0.0}, {0.0}}, /* filled by read_mixture */
};

static const double noises[] = {0.5, 1e-2, 1e-12, 1e-24, 1e-32, 1e-40};

static const double resolutions[] = {1.0, 2.5};

/* A mixture at a level, with its panels. */
struct layout {
    struct mixture mixture;
    struct factor factor;
    struct mixture_level level;
    struct panels panels;
};

static void set_noise(struct layout *layout, double noise)
{
    mixture_level_set(&layout->level, &(struct level){1.0 - noise, noise});
}

static void lay_out(struct layout *layout, double resolution, const struct fineness *fineness)
{
    struct error error;
    ck_assert_msg(panels_lay_out(&layout->level, resolution, fineness, &layout->panels, &error) == STATUS_OK,
                  "%s: %s", layout->mixture.name, error.text);
    ck_assert_uint_gt(layout->panels.count, 0);
}

static void layout_init(struct layout *layout, const struct mixture *mixture, double noise)
{
    struct error error;
    *layout = (struct layout){.mixture = *mixture};
    struct mixture *own = &layout->mixture;
    for (size_t k = 0; k < MOST && mixture->weight[0] == 0.0; k++) {
        own->weight[k] = 1.0 / MOST;
        own->sd[k] = 0.2 * pow(5e4, (double)k / (MOST - 1));
    }
    layout->factor = (struct factor){1, own->components, own->weight, own->mean, own->sd, NULL, NULL, NULL};
    ck_assert(mixture_level_new(&layout->factor, &layout->level, &error) == STATUS_OK);
    set_noise(layout, noise);
}

static void layout_free(struct layout *layout)
{
    mixture_level_free(&layout->level);
    panels_free(&layout->panels);
}

/* One side of a panel, relative to component k. */
static double side_at(const struct layout *layout, size_t p, int side, size_t k)
{
    const struct panel *panel = &layout->panels.panel[p];
    size_t anchor = panel->edge_anchor[side];
    return mixture_level_centre(&layout->level, anchor, k) + panel->edge[side] * layout->level.sd[anchor];
}

static int shared(const struct panel *left, const struct panel *right)
{
    return left->edge_anchor[1] == right->edge_anchor[0] && left->edge[1] == right->edge[0];
}

/* Panels in order, each between its ends; neighbours share theirs or lie apart; neighbours' lengths differ by no more
 * than a factor. */
static void check_order(const struct layout *layout, double most_growth)
{
    const struct panels *panels = &layout->panels;
    for (size_t p = 0; p < panels->count; p++) {
        const struct panel *panel = &panels->panel[p];
        ck_assert(panel->half_width > 0.0);
        for (int side = 0; side < 2; side++) {
            double end = side_at(layout, p, side, panel->anchor),
                   made = panel->centre + (2 * side - 1) * panel->half_width;
            double shift = mixture_level_centre(&layout->level, panel->edge_anchor[side], panel->anchor);
            ck_assert_double_le(fabs(made - end), 4.0 * DBL_EPSILON * (fabs(end) + fabs(shift) + panel->half_width));
        }
        ck_assert(panels_at_end(panels, p, 0) == (p == 0 || !shared(panel - 1, panel)));
        ck_assert(panels_at_end(panels, p, 1) == (p + 1 == panels->count || !shared(panel, panel + 1)));
        if (p > 0 && panels_at_end(panels, p, 0))
            ck_assert(side_at(layout, p, 0, panel->edge_anchor[0])
                      > side_at(layout, p - 1, 1, panel->edge_anchor[0]));
        else if (p > 0) {
            double growth = panel->half_width / panel[-1].half_width;
            ck_assert_msg(growth < most_growth && growth > 1.0 / most_growth, "%s: panel %zu is %g of the one before",
                          layout->mixture.name, p, growth);
        }
    }
}

/* The intervals covered: where each begins and ends, and that each component's reach is inside one. */
static void check_cover(const struct layout *layout)
{
    const struct panels *panels = &layout->panels;
    const double most = PANEL_REACH * (1.0 - 1e-12);
    for (size_t p = 0; p < panels->count; p++)
        for (int side = 0; side < 2; side++)
            if (panels_at_end(panels, p, side))
                ck_assert(panels->panel[p].edge[side] == (side == 0 ? -PANEL_REACH : PANEL_REACH));
    for (size_t k = 0; k < layout->factor.components; k++) {
        double sd = layout->level.sd[k], start = HUGE_VAL;
        int covered = 0;
        for (size_t p = 0; p < panels->count; p++) {
            if (panels_at_end(panels, p, 0))
                start = side_at(layout, p, 0, k);
            if (panels_at_end(panels, p, 1))
                covered |= start <= -most * sd && side_at(layout, p, 1, k) >= most * sd;
        }
        ck_assert_msg(covered, "%s: component %zu is not covered", layout->mixture.name, k);
    }
}

/* The distance of a panel's nearest point from a point, given its ends relative to that. */
static double distance(double left, double right)
{
    return left > 0.0 ? left : right < 0.0 ? -right : 0.0;
}

/* One standard deviation near a component, and growing with the distance. */
static void check_lengths(const struct layout *layout, double resolution)
{
    for (size_t p = 0; p < layout->panels.count; p++)
        for (size_t k = 0; k < layout->factor.components; k++) {
            double left = side_at(layout, p, 0, k), right = side_at(layout, p, 1, k), sd = layout->level.sd[k];
            double allowed = (sd + fmax(0.0, distance(left, right) - 5.0 * sd)) / resolution;
            double length = 2.0 * layout->panels.panel[p].half_width;
            ck_assert_msg(length <= allowed * (1.0 + 1e-10), "%s: panel %zu: %g, component %zu allows %g",
                          layout->mixture.name, p, length, k, allowed);
        }
}

TEST(test_tiles, .count = COUNT(mixtures))
{
    for (size_t i = 0; i < COUNT(noises); i++)
        for (int j = 0; j < 2; j++) {
            OWNED(layout) layout;
            layout_init(&layout, &mixtures[_i], noises[i]);
            lay_out(&layout, resolutions[j], NULL);
            check_order(&layout, 4.0);
            check_cover(&layout);
            check_lengths(&layout, resolutions[j]);
        }
}

static double random_in(double from, double to)
{
    static unsigned long state = 1;
    state = state * 6364136223846793005UL + 1442695040888963407UL;
    return from + (to - from) * (double)(state >> 11) * 0x1p-53;
}

/* Puts log p on the panels; the largest |log p| on each is left in magnitude. */
static void fit_log_density(struct layout *layout, double *magnitude)
{
    struct chebyshev chebyshev;
    chebyshev_init(&chebyshev);
    for (size_t p = 0; p < layout->panels.count; p++) {
        struct panel *panel = &layout->panels.panel[p];
        double x[PANEL_NODES], value[PANEL_NODES];
        for (int j = 0; j < PANEL_NODES; j++)
            x[j] = panel->centre + panel->half_width * chebyshev.node[j];
        mixture_level_evaluate(&layout->level, panel->anchor, PANEL_NODES, x, value, NULL);
        panel_fit(&chebyshev, value, panel);
        magnitude[p] = 1.0;
        for (int j = 0; j < PANEL_NODES; j++)
            magnitude[p] = fmax(magnitude[p], fabs(value[j]));
    }
}

/* log p at random points of every panel, seen from every component. Beside the rounding of the point itself the error
 * is below 3e-13 of the panel's largest value, but for 6e-12 right after a sharp valley. */
TEST(test_interpolates, .count = COUNT(mixtures))
{
    const double tolerance = 2e-11;
    for (size_t i = 0; i < COUNT(noises); i++)
        for (int j = 0; j < 2; j++) {
            OWNED(layout) layout;
            layout_init(&layout, &mixtures[_i], noises[i]);
            lay_out(&layout, resolutions[j], NULL);
            FREED double *magnitude = calloc(layout.panels.count, sizeof *magnitude);
            ck_assert_ptr_nonnull(magnitude);
            fit_log_density(&layout, magnitude);
            for (size_t k = 0; k < layout.factor.components; k++) {
                size_t hint = (size_t)random_in(0.0, (double)layout.panels.count);
                for (size_t p = 0; p < layout.panels.count; p++) {
                    const struct panel *panel = &layout.panels.panel[p];
                    double shift = mixture_level_centre(&layout.level, panel->anchor, k);
                    /* a component sees nothing of panels that are shorter than the digits of their place */
                    if (fabs(shift) > 1e10 * panel->half_width)
                        continue;
                    for (int sample = 0; sample < 10; sample++) {
                        double x = panel->centre + panel->half_width * random_in(-0.999, 0.999), seen = x + shift;
                        double expected, score, value;
                        mixture_level_evaluate(&layout.level, panel->anchor, 1, &x, &expected, &score);
                        panels_evaluate(&layout.panels, &layout.level, k, 1, &seen, &value, &hint);
                        double rounding = 4.0 * DBL_EPSILON * (fabs(shift) + fabs(x)) * fabs(score);
                        ck_assert_msg(fabs(value - expected) <= tolerance * magnitude[p] + rounding,
                                      "%s, noise %g, panel %zu seen from %zu: %.17g, not %.17g", layout.mixture.name,
                                      noises[i], p, k, value, expected);
                    }
                }
            }
        }
}

/* An atom in a Gaussian, as the noise falls: a fixed number of panels a decade. */
TEST(test_count_grows_with_log)
{
    static const struct mixture atom = {"atom", 2, {0.5, 0.5}, {0.0, 0.7}, {1.0, 0.0}};
    size_t before = 0;
    for (int decades = 2; decades <= 20; decades += 2) {
        OWNED(layout) layout;
        layout_init(&layout, &atom, pow(10.0, -2.0 * decades));
        lay_out(&layout, 1.0, NULL);
        if (before > 0) /* 2 log_2(100) = 13 */
            ck_assert_uint_le(layout.panels.count, before + 17);
        before = layout.panels.count;
    }
    ck_assert_uint_lt(before, 220);
}

static const size_t most_panels[] = {15,  36,  44,  46,  58, 66, 58,  54,  360, 360,
                                     150, 200, 190, 150, 22, 24, 135, 120, 125};

/* No more panels than the mixtures above take; a change that costs more is to be seen. */
TEST(test_count, .count = COUNT(mixtures))
{
    for (size_t i = 0; i < COUNT(noises); i++) {
        OWNED(layout) layout;
        layout_init(&layout, &mixtures[_i], noises[i]);
        lay_out(&layout, 1.0, NULL);
        ck_assert_msg(layout.panels.count <= most_panels[_i], "%s: %zu panels at noise %g", layout.mixture.name,
                      layout.panels.count, noises[i]);
    }
}

static double length_at(const struct layout *layout, double x)
{
    for (size_t p = 0; p < layout->panels.count; p++) {
        double shift = mixture_level_centre(&layout->level, layout->panels.panel[p].anchor, 0)
                       + layout->level.root_alpha_bar * layout->factor.mean[0];
        if (fabs(x - shift - layout->panels.panel[p].centre) <= layout->panels.panel[p].half_width)
            return 2.0 * layout->panels.panel[p].half_width;
    }
    ck_abort_msg("%s: %g is not covered", layout->mixture.name, x);
    return 0.0;
}

TEST(test_symmetry)
{
    static const struct mixture symmetric[] = {
        {"two", 2, {0.5, 0.5}, {-1.0, 1.0}, {0.3, 0.3}},
        {"bridged", 2, {0.5, 0.5}, {-1.5, 1.5}, {0.1, 0.1}},
        {"scales", 2, {0.5, 0.5}, {0.0, 0.0}, {1.0, 1e-3}},
        {"four", 4, {0.25, 0.25, 0.25, 0.25}, {-1.0, 1.0, -2.0, 2.0}, {0.01, 0.01, 1.0, 1.0}},
    };
    for (size_t i = 0; i < COUNT(symmetric); i++) {
        OWNED(layout) layout;
        layout_init(&layout, &symmetric[i], 1e-9);
        lay_out(&layout, 1.0, NULL);
        for (double x = 1e-4; x < 2.2; x *= 1.01) {
            double ratio = length_at(&layout, x) / length_at(&layout, -x);
            ck_assert_msg(ratio < 2.5 && ratio > 0.4, "%s: lengths at %g and its mirror image differ by %g",
                          layout.mixture.name, x, ratio);
        }
    }
}

static size_t intervals(const struct panels *panels)
{
    size_t count = 0;
    for (size_t p = 0; p < panels->count; p++)
        count += panels_at_end(panels, p, 0) != 0;
    return count;
}

/* 2 * 9.5 standard deviations are covered, and 12 more of the wider component. */
TEST(test_gaps)
{
    static const struct {
        struct mixture mixture;
        size_t intervals;
    } gaps[] = {
        {{"18", 2, {0.5, 0.5}, {0.0, 18.0}, {1.0, 1.0}}, 1},
        {{"30.9", 2, {0.5, 0.5}, {0.0, 30.9}, {1.0, 1.0}}, 1},
        {{"31.1", 2, {0.5, 0.5}, {0.0, 31.1}, {1.0, 1.0}}, 2},
        {{"right wider", 2, {0.5, 0.5}, {0.0, 21.4}, {1e-3, 1.0}}, 1},
        {{"left wider", 2, {0.5, 0.5}, {21.4, 0.0}, {1e-3, 1.0}}, 1},
        {{"left wider, apart", 2, {0.5, 0.5}, {21.6, 0.0}, {1e-3, 1.0}}, 2},
        {{"over a narrow one", 3, {0.3, 0.3, 0.4}, {0.0, 15.0, 30.9}, {1.0, 1e-6, 1.0}}, 1},
        {{"narrow ones beyond", 3, {0.3, 0.3, 0.4}, {0.0, 15.0, 20.0}, {1.0, 1e-6, 1e-6}}, 1},
        {{"narrow ones before", 3, {0.3, 0.3, 0.4}, {20.0, 5.0, 0.0}, {1.0, 1e-6, 1e-6}}, 1},
        {{"narrow ones apart", 3, {0.3, 0.3, 0.4}, {0.0, 25.0, 26.0}, {1.0, 1e-6, 1e-6}}, 3},
    };
    for (size_t i = 0; i < COUNT(gaps); i++) {
        OWNED(layout) layout;
        layout_init(&layout, &gaps[i].mixture, 1e-20);
        lay_out(&layout, 1.0, NULL);
        check_order(&layout, 4.0);
        check_cover(&layout);
        check_lengths(&layout, 1.0);
        ck_assert_msg(intervals(&layout.panels) == gaps[i].intervals, "%s: %zu intervals", layout.mixture.name,
                      intervals(&layout.panels));
    }
}

/* Panels of a level serve the levels near by: the ends move and stay shared, and in order while the noise falls: then
 * components draw in their panels. */
TEST(test_moves, .count = COUNT(mixtures))
{
    static const double change[] = {0.75, 0.9, 1.0, 1.1, 1.25};
    for (size_t i = 0; i < COUNT(noises); i++)
        for (size_t j = 0; j < COUNT(change); j++) {
            OWNED(layout) layout;
            OWNED(panels) before;
            struct error error;
            int in_order;
            layout_init(&layout, &mixtures[_i], noises[i]);
            lay_out(&layout, 1.0, NULL);
            before = layout.panels;
            layout.panels = (struct panels){0};
            set_noise(&layout, noises[i] * change[j]);
            ck_assert(panels_move(&before, &layout.level, &layout.panels, &in_order, &error) == STATUS_OK);
            ck_assert_uint_eq(before.count, layout.panels.count);
            ck_assert_msg(in_order || change[j] > 1.0, "%s: noise %g times %g", layout.mixture.name, noises[i],
                          change[j]);
            if (in_order)
                check_order(&layout, HUGE_VAL);
            for (size_t p = 0; p < before.count; p++) {
                ck_assert_int_eq(panels_at_end(&before, p, 1), panels_at_end(&layout.panels, p, 1));
                if (change[j] == 1.0) {
                    ck_assert(before.panel[p].centre == layout.panels.panel[p].centre);
                    ck_assert(before.panel[p].half_width == layout.panels.panel[p].half_width);
                }
            }
        }
}

/* Intervals that would overlap are not in order. */
TEST(test_moves_into_each_other)
{
    static const struct mixture atoms = {"atoms", 2, {0.5, 0.5}, {-1.0, 1.0}, {0.0, 0.0}};
    OWNED(layout) layout;
    OWNED(panels) moved = {0};
    struct error error;
    int in_order;
    layout_init(&layout, &atoms, 1e-3);
    lay_out(&layout, 1.0, NULL);
    ck_assert_uint_eq(intervals(&layout.panels), 2);
    set_noise(&layout, 1.2e-2);
    ck_assert(panels_move(&layout.panels, &layout.level, &moved, &in_order, &error) == STATUS_OK);
    ck_assert(!in_order);
}

/* A jump among panels: mixture, level, fineness. */
static const struct {
    struct mixture mixture;
    struct fineness fineness;
} sharp[] = {
    {{"gauss", 1, {1.0}, {0.3}, {0.5}}, {.finest = 1e-3, .edges = 2, .edge = {0.9, -0.2}}},
    {{"bimodal", 2, {0.5, 0.5}, {-1.0, 1.0}, {0.3, 0.3}}, {.finest = 1e-5, .edges = 3, .edge = {1.3, 0.0, -1.3}}},
    {{"coarse", 2, {0.5, 0.5}, {-1.0, 1.0}, {0.3, 0.3}}, {.finest = 3.0, .edges = 2, .edge = {1.3, -1.3}}},
    {{"coinciding", 2, {0.5, 0.5}, {-1.0, 1.0}, {0.3, 0.3}},
     {.finest = 1e-4, .edges = 4, .edge = {0.5, 0.5, 0.5001, 0.3}}},
    {{"outside", 1, {1.0}, {0.3}, {0.5}}, {.finest = 1e-3, .edges = 2, .edge = {-4.4501, 12.0}}},
    {{"at the end", 1, {1.0}, {0.0}, {0.5}}, {.finest = 1e-3, .edges = 1, .edge = {4.75}}},
    {{"atom", 2, {0.5, 0.5}, {0.0, 0.7}, {1.0, 1e-9}}, {.finest = 1e-10, .edges = 2, .edge = {0.7, -0.7}}},
    {{"longest", 2, {0.5, 0.5}, {0.0, 0.7}, {1.0, 1e-3}}, {.longest = 0.05}},
    {{"longest and edge", 1, {1.0}, {0.0}, {1.0}}, {.longest = 0.2, .finest = 1e-4, .edges = 1, .edge = {0.4}}},
};

TEST(test_fineness, .count = COUNT(sharp))
{
    const struct fineness *fineness = &sharp[_i].fineness;
    for (int j = 0; j < 2; j++) {
        double resolution = resolutions[j];
        OWNED(layout) layout;
        layout_init(&layout, &sharp[_i].mixture, 1e-20);
        lay_out(&layout, resolution, NULL);
        size_t without = layout.panels.count;
        lay_out(&layout, resolution, fineness);
        check_order(&layout, 4.0);
        check_cover(&layout);
        check_lengths(&layout, resolution);
        for (size_t p = 0; p < layout.panels.count; p++) {
            const struct panel *panel = &layout.panels.panel[p];
            double length = 2.0 * panel->half_width, allowed = HUGE_VAL;
            if (fineness->longest > 0.0)
                allowed = fineness->longest;
            for (size_t e = 0; e < fineness->edges; e++) {
                double edge = fineness->edge[e] - layout.level.root_alpha_bar * layout.factor.mean[panel->anchor];
                double from_edge =
                    distance(panel->centre - panel->half_width - edge, panel->centre + panel->half_width - edge);
                allowed = fmin(allowed, fineness->finest + 0.5 * fmax(0.0, from_edge - 2.0 * fineness->finest));
            }
            ck_assert_msg(length <= allowed / resolution * (1.0 + 1e-6), "%s: panel %zu of length %g, not %g",
                          layout.mixture.name, p, length, allowed / resolution);
        }
        if (fineness->edges > 0 && !(fineness->longest > 0.0)) {
            /* 4 finest lengths, and a geometric row to each side */
            double row = log(1.0 + 1.0 / fineness->finest) / log1p(0.5 / resolution);
            ck_assert_double_le((double)layout.panels.count,
                                (double)without + (double)fineness->edges * (2.0 * row + 8.0 * resolution));
        }
    }
}

/* What a smoothed jump looks like, interpolated: measured, 2e-11. */
TEST(test_interpolates_at_edges, .count = COUNT(sharp))
{
    struct chebyshev chebyshev;
    chebyshev_init(&chebyshev);
    const struct fineness *fineness = &sharp[_i].fineness;
    OWNED(layout) layout;
    layout_init(&layout, &sharp[_i].mixture, 1e-20);
    lay_out(&layout, 1.0, fineness);
    for (size_t p = 0; p < layout.panels.count; p++)
        for (size_t e = 0; e < fineness->edges; e++) {
            struct panel *panel = &layout.panels.panel[p];
            double edge = fineness->edge[e] - layout.level.root_alpha_bar * layout.factor.mean[panel->anchor];
            double value[PANEL_NODES];
            for (int j = 0; j < PANEL_NODES; j++)
                value[j] = erf((panel->centre + panel->half_width * chebyshev.node[j] - edge) / fineness->finest);
            panel_fit(&chebyshev, value, panel);
            for (int sample = 0; sample < 50; sample++) {
                double x = panel->centre + panel->half_width * random_in(-1.0, 1.0), made;
                panel_evaluate(panel, 0.0, 1, &x, &made);
                double rounding = 4.0 * DBL_EPSILON * fabs(x) / fineness->finest;
                ck_assert_double_eq_tol(made, erf((x - edge) / fineness->finest), 1e-10 + rounding);
            }
        }
}

/* A function handed on from layout to layout, each a little further along, stays what it was. */
TEST(test_hands_on)
{
    static const struct mixture mixture = {"scales", 2, {0.4, 0.6}, {0.0, 0.5}, {0.01, 1.0}};
    struct chebyshev chebyshev;
    chebyshev_init(&chebyshev);
    OWNED(layout) layout;
    OWNED(panels) before = {0};
    layout_init(&layout, &mixture, 1e-4);
    for (int step = 0; step <= 3000; step++) {
        mixture_level_set(&layout.level, &(struct level){1.0, 1e-4 * exp(-1e-3 * step)});
        lay_out(&layout, 1.0, NULL);
        double worst = 0.0;
        size_t hint = 0;
        for (size_t p = 0; p < layout.panels.count; p++) {
            struct panel *panel = &layout.panels.panel[p];
            double shift = mixture.mean[panel->anchor], x[PANEL_NODES], value[PANEL_NODES];
            for (int j = 0; j < PANEL_NODES; j++)
                x[j] = panel->centre + panel->half_width * chebyshev.node[j];
            if (step == 0)
                for (int j = 0; j < PANEL_NODES; j++)
                    value[j] = cos(0.5 * (x[j] + shift));
            else
                panels_evaluate(&before, &layout.level, panel->anchor, PANEL_NODES, x, value, &hint);
            panel_fit(&chebyshev, value, panel);
            for (int j = 0; j < PANEL_NODES; j++)
                worst = fmax(worst, fabs(value[j] - cos(0.5 * (x[j] + shift))));
        }
        ck_assert_msg(worst < 1e-10, "off by %g after %d steps", worst, step);
        struct panels other = before;
        before = layout.panels;
        layout.panels = other;
    }
}

TEST(test_too_many)
{
    struct fineness fineness = {.longest = 1e-7};
    OWNED(layout) layout;
    struct error error;
    layout_init(&layout, &mixtures[0], 1e-2);
    ck_assert(panels_lay_out(&layout.level, 1.0, &fineness, &layout.panels, &error) == STATUS_MEMORY);
}
