#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "experiment/cell.h"
#include "experiment/limits.h"
#include "experiment/spec.h"
#include "test/fuzz/fuzz.h"

#define PATH "fuzz.yaml"

/* Of a plug-in and a file that specs may name. */
static const char plugins[] = "plug-in 0123456789abcdef ./mine.so\nfile levels\nnumbers 0.9 0.5 0.1\n";
static const char *const claims[] = {"eps-ddpm", "crossover", NULL};

/* FILE:LINE:COL: and a sentence on one line. */
static void check_message(const char *text)
{
    unsigned line, column;
    int length = 0;
    REQUIRE(sscanf(text, PATH ":%u:%u: %n", &line, &column, &length) == 2 && length > 0, "%s", text);
    REQUIRE(line >= 1 && column >= 1 && text[length] != '\0' && strchr(text, '\n') == NULL, "%s", text);
}

static void check_title(const char *title)
{
    uint32_t code = 0;
    REQUIRE(*title != '\0', "no title");
    for (size_t length; *title != '\0'; title += length) {
        length = text_character(title, &code);
        REQUIRE(length > 0 && !text_is_control(code), "%s", title);
    }
}

static void check_increasing(const size_t *list, size_t count)
{
    for (size_t i = 1; i < count; i++)
        REQUIRE(list[i - 1] < list[i], "%zu, %zu", list[i - 1], list[i]);
}

/* The keys of cells are file names. */
static void check_keys(const struct spec *spec)
{
    for (size_t i = 0; i < spec->target_count; i++) {
        char key[CELL_KEY_SIZE];
        const struct cell cell = {spec,
                                  i,
                                  0,
                                  spec->score_error_count - 1,
                                  spec->max_steps,
                                  spec->chain_count > 0 ? spec->chains[0] : 0,
                                  spec_dimensions(spec)};
        REQUIRE(text_is_name(spec->targets[i].name), "%s", spec->targets[i].name);
        REQUIRE(cell_key(&cell, key, NULL) == STATUS_OK && text_is_name(key), "target %zu", i);
    }
}

/* The same bytes as what results hold of an experiment. */
static void check_as_manifest(const uint8_t *data, size_t size)
{
    static const struct parameter_columns none = {0};
    struct manifest manifest;
    struct error error = {STATUS_OK, ""};
    char *text = strndup(size > 0 ? (const char *)data : "", size);
    REQUIRE(text != NULL, "%zu bytes", size);
    enum status status = manifest_parse(PATH, text, &none, &manifest, &error);
    if (status == STATUS_OK)
        REQUIRE(manifest.target_count > 0 && manifest.sampler_count > 0 && manifest.score_error_count > 0
                    && manifest.dimension_count > 0,
                "an empty list");
    else {
        REQUIRE(status == STATUS_INVALID, "status %d: %s", (int)status, error.text);
        check_message(error.text);
    }
    manifest_free(&manifest);
    free(text);
}

void fuzz_spec(const uint8_t *data, size_t size)
{
    struct spec spec;
    struct error error = {STATUS_OK, ""};
    enum status status = spec_parse(PATH, size > 0 ? (const char *)data : "", size, plugins, claims, &spec, &error);
    if (status != STATUS_OK) {
        REQUIRE(status == STATUS_INVALID, "status %d: %s", (int)status, error.text);
        check_message(error.text);
    } else {
        const struct demand demand = limits_demand(&spec);
        REQUIRE(demand.cells <= LIMIT_CELLS && demand.disk <= LIMIT_DISK && demand.numbers <= LIMIT_NUMBERS,
                "%g cells", demand.cells);
        REQUIRE(spec.target_count > 0 && spec.sampler_count > 0 && spec.dimension_count > 0, "an empty list");
        REQUIRE(spec.step_count > 0 || spec.accuracy_count > 0, "nothing to do");
        REQUIRE(strlen(spec.text) == size && (size == 0 || memcmp(spec.text, data, size) == 0), "another text");
        check_increasing(spec.dimensions, spec.dimension_count);
        check_increasing(spec.steps, spec.step_count);
        check_increasing(spec.chains, spec.chain_count);
        check_title(spec.title);
        check_keys(&spec);
    }
    spec_free(&spec);
    check_as_manifest(data, size);
}
