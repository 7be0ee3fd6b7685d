#include <math.h>
#include <string.h>

#include "law/law.h"
#include "law/resample.h"

/* Panels with the base's values, in place of the law's. */
static enum status interpolate(const struct law *law, const struct law *base, struct law *out, struct norms *missed,
                               struct error *error)
{
    struct chebyshev chebyshev;
    struct panel_groups groups = {.team = NULL};
    chebyshev_init(&chebyshev);
    mixture_level_set(&out->target, &law->target.level);
    enum status status =
        panels_resample(&groups, &base->log_ratio, &out->target, &chebyshev, &out->base, missed, error);
    panel_groups_free(&groups);
    for (size_t p = 0; p < law->log_ratio.count; p++)
        for (size_t k = 0; k < PANEL_NODES; k++)
            out->log_ratio.panel[p].coefficient[k] -= out->base.panel[p].coefficient[k];
    return status;
}

/* Off the line, the same panels or none. */
static enum status subtract(const struct law *law, const struct law *base, struct law *out, struct error *error)
{
    int same = law->log_ratio.count == base->log_ratio.count;
    for (size_t p = 0; same && p < law->log_ratio.count; p++) {
        const struct panel *a = &law->log_ratio.panel[p], *b = &base->log_ratio.panel[p];
        const double place[2][2] = {{a->centre, a->half_width}, {b->centre, b->half_width}};
        same = a->anchor == b->anchor && memcmp(place[0], place[1], sizeof place[0]) == 0;
        out->base.panel[p] = *b;
        for (size_t k = 0; k < PANEL_NODES; k++)
            out->log_ratio.panel[p].coefficient[k] -= b->coefficient[k];
    }
    return same ? STATUS_OK
                : fail_with(error, STATUS_UNSUPPORTED,
                            "the laws of the %s engine with and without score error lie on different grids",
                            law->engine->name);
}

/* Of two Gaussians, in units of the base. */
static enum status relative_normal(const struct law *law, const struct law *base, struct law *out,
                                   struct error *error)
{
    const struct normal *a = &law->normal, *b = &base->normal;
    double scale = exp(-0.5 * b->log_variance), V = base->target.variance[0] / (scale * scale);
    struct normal q = {.log_variance = a->log_variance - b->log_variance,
                       .shift = (a->shift - b->shift) * scale,
                       .log_variance_error = a->log_variance_error + b->log_variance_error,
                       .shift_error = (a->shift_error + b->shift_error) * scale};
    TRY(law_of_normal(law->target.factor, V, &q, 1.0, out, error));
    out->node_updates = law->node_updates + base->node_updates;
    out->clip = base->clip;
    return STATUS_OK;
}

static enum status relate(const struct law *law, const struct law *base, struct law *out, struct norms *missed,
                          struct error *error)
{
    TRY(panels_copy(&law->log_ratio, &out->log_ratio, error));
    TRY(panels_copy(&law->log_ratio, &out->base, error));
    if (law->density != NULL) {
        TRY(law->density->copy(law->density, &out->density, error));
        return subtract(law, base, out, error);
    }
    TRY(mixture_level_new(law->target.factor, &out->target, error));
    return interpolate(law, base, out, missed, error);
}

enum status law_relative(const struct law *law, const struct law *base, struct law *out, struct error *error)
{
    struct norms missed = {0.0, 0.0, 0.0};
    if (law->is_normal && base->is_normal)
        return relative_normal(law, base, out, error);
    *out = (struct law){.engine = law->engine,
                        .lines = law->lines,
                        .clip = base->clip,
                        .mass_defect = law->mass_defect - base->mass_defect,
                        .node_updates = law->node_updates + base->node_updates,
                        .exponentials = law->exponentials + base->exponentials};
    enum status status = relate(law, base, out, &missed, error);
    if (status != STATUS_OK) {
        law_free(out);
        return status;
    }
    /* The ratio is normalised by the difference of the defects, but what either law lost is lost. */
    double lost = fabs(law->mass_defect) + fabs(base->mass_defect) - fabs(out->mass_defect);
    out->error_l1 = law->error_l1 + base->error_l1 + 2.0 * missed.l1 + lost;
    out->error_l2 = law->error_l2 + base->error_l2 + 2.0 * missed.l2 + lost;
    return STATUS_OK;
}
