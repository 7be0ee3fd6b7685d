#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "law/law.h"

enum { TEST_POINTS = 4 };
static const double test_position[TEST_POINTS] = {-0.99, -0.42, 0.33, 0.97};

static enum status copy_panels(const struct panels *from, struct panels *to, struct error *error)
{
    *to = (struct panels){.panel = array_new(from->count, sizeof *to->panel)};
    if (to->panel == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu panels", from->count);
    memcpy(to->panel, from->panel, from->count * sizeof *to->panel);
    to->count = to->capacity = from->count;
    return STATUS_OK;
}

enum status law_relative(const struct law *law, const struct law *base, struct law *out, struct error *error)
{
    struct chebyshev chebyshev;
    double missed = 0.0, missed_squared = 0.0;
    size_t hint = 0, test_hint = 0;
    *out = (struct law){.engine = law->engine, .node_updates = law->node_updates + base->node_updates};
    enum status status = mixture_level_new(law->target.factor, &out->target, error);
    if (status == STATUS_OK)
        status = copy_panels(&law->log_ratio, &out->log_ratio, error);
    if (status == STATUS_OK)
        status = copy_panels(&law->log_ratio, &out->base, error);
    if (status != STATUS_OK) {
        law_free(out);
        return status;
    }
    chebyshev_init(&chebyshev);
    mixture_level_set(&out->target, &law->target.level);
    for (size_t p = 0; p < law->log_ratio.count; p++) {
        struct panel *panel = &out->base.panel[p];
        double x[PANEL_NODES], value[PANEL_NODES], made[TEST_POINTS], exact[TEST_POINTS], log_density[TEST_POINTS];
        for (int j = 0; j < PANEL_NODES; j++)
            x[j] = panel->centre + panel->half_width * chebyshev.node[j];
        panels_evaluate(&base->log_ratio, &base->target, panel->anchor, PANEL_NODES, x, value, &hint);
        panel_fit(&chebyshev, value, panel);
        for (size_t k = 0; k < PANEL_NODES; k++)
            out->log_ratio.panel[p].coefficient[k] -= panel->coefficient[k];
        for (int j = 0; j < TEST_POINTS; j++)
            x[j] = panel->centre + panel->half_width * test_position[j];
        panels_evaluate(&base->log_ratio, &base->target, panel->anchor, TEST_POINTS, x, exact, &test_hint);
        panel_evaluate(panel, 0.0, TEST_POINTS, x, made);
        mixture_level_evaluate(&out->target, panel->anchor, TEST_POINTS, x, log_density, NULL);
        for (int j = 0; j < TEST_POINTS; j++) {
            double weight = exp(log_density[j] + exact[j]) * 2.0 * panel->half_width / TEST_POINTS;
            double relative = expm1(made[j] - exact[j]);
            missed += weight * fabs(relative);
            missed_squared += weight * relative * relative;
        }
    }
    /* The ratio is normalised by the difference of the defects, but what either law lost is lost. */
    out->mass_defect = law->mass_defect - base->mass_defect;
    double lost = fabs(law->mass_defect) + fabs(base->mass_defect) - fabs(out->mass_defect);
    out->error_l1 = law->error_l1 + base->error_l1 + 2.0 * missed + lost;
    out->error_l2 = law->error_l2 + base->error_l2 + 2.0 * sqrt(missed_squared) + lost;
    out->clip = base->clip;
    return STATUS_OK;
}
