#include "results/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/random.h"
#include "core/process.h"
#include "experiment/plan.h"
#include "results/compare.h"
#include "results/cell_file.h"
#include "results/directory.h"
#include "results/store.h"

struct checker {
    const char *directory;
    const struct spec *spec;
    const struct check_options *options;
    struct plan plan;
    char (*known)[CELL_KEY_SIZE]; /* the keys of the plan's cells */
    size_t known_count;
    struct result merged; /* read before the cells: the process that reads it is a copy of this one */
    struct error unread;  /* why it could not be */
    struct check *check;
    FILE *problems;
};

static void add_problem(struct checker *checker, const char *what, const char *text)
{
    fprintf(checker->problems, "%s%s\n", what, text);
    checker->check->problems++;
}

static enum status no_memory(struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory to check a results directory");
}

/* A damaged cell is settled as if it had failed, so that the search for others goes on. */
static enum status read_planned(struct checker *checker, size_t index, struct error *error)
{
    const struct cell *cell = &checker->plan.items[index].cell;
    struct check *check = checker->check;
    char path[DIRECTORY_PATH_SIZE];
    struct result result;
    struct stat found;
    struct error cause = {STATUS_OK, ""};
    enum status status = directory_cell(checker->directory, cell, path, error);
    if (status != STATUS_OK)
        return status;
    if (stat(path, &found) != 0) {
        check->missing++;
        return STATUS_OK;
    }
    status = directory_load(checker->directory, cell, &result, &cause);
    int sound = status == STATUS_OK, whole = sound && result.failure[0] == '\0';
    if (!sound)
        add_problem(checker, "", cause.text);
    check->cells += sound ? 1 : 0;
    plan_settle(&checker->plan, index, whole ? ITEM_READ : ITEM_FAILED, whole ? result.rows : NULL,
                sound && !whole ? result.failure : NULL);
    *(whole ? (void **)&result.rows : (void **)&result.failure) = NULL; /* the plan's now */
    result_free(&result);
    return STATUS_OK;
}

static enum status read_plan(struct checker *checker, struct error *error)
{
    enum status status = plan_new(checker->spec, 1, &checker->plan, error);
    for (size_t next = 0; status == STATUS_OK && next < checker->plan.count;) {
        for (; next < checker->plan.count && status == STATUS_OK; next++)
            status = read_planned(checker, next, error);
        for (size_t i = 0; i < checker->plan.pursuit_count && status == STATUS_OK; i++)
            status = plan_pursue(&checker->plan, i, error);
    }
    for (size_t i = 0; i < checker->plan.count; i++) {
        const struct item *item = &checker->plan.items[i];
        checker->check->failed += (item->rows != NULL || item->failure != NULL) && plan_has_failed(&checker->plan, i);
    }
    plan_sort(&checker->plan);
    return status;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(a, b);
}

static enum status list_known(struct checker *checker, struct error *error)
{
    enum status status = STATUS_OK;
    checker->known = array_new(checker->plan.count, sizeof *checker->known);
    if (checker->known == NULL)
        return no_memory(error);
    for (; checker->known_count < checker->plan.count && status == STATUS_OK; checker->known_count++)
        status =
            cell_key(&checker->plan.items[checker->known_count].cell, checker->known[checker->known_count], error);
    qsort(checker->known, checker->known_count, sizeof *checker->known, by_key);
    return status;
}

/* A file that is none of the plan's cells. */
static void check_other(struct checker *checker, const char *name)
{
    char path[DIRECTORY_PATH_SIZE];
    const char *dot = strrchr(name, '.');
    struct result result;
    struct error cause = {STATUS_OK, ""};
    if (strstr(name, CELL_FILE_ENDING ".tmp.") != NULL) {
        checker->check->leftovers++;
    } else if (dot == NULL || strcmp(dot, CELL_FILE_ENDING) != 0
               || (size_t)snprintf(path, sizeof path, "%s/cells/%s", checker->directory, name) >= sizeof path) {
        add_problem(checker, "not a cell: cells/", name);
    } else {
        if (cell_file_read(path, &result, &cause) == STATUS_OK)
            checker->check->others++;
        else
            add_problem(checker, "", cause.text);
        result_free(&result);
    }
}

static enum status check_others(struct checker *checker, struct error *error)
{
    char path[DIRECTORY_PATH_SIZE];
    if ((size_t)snprintf(path, sizeof path, "%s/cells", checker->directory) >= sizeof path)
        return fail_with(error, STATUS_IO, "the path %.200s... is too long", checker->directory);
    DIR *open = opendir(path);
    if (open == NULL)
        return fail_with(error, STATUS_IO, "cannot read directory %s: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        char key[CELL_KEY_SIZE];
        (void)directory_key(entry->d_name, key);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0
            && bsearch(key, checker->known, checker->known_count, sizeof *checker->known, by_key) == NULL)
            check_other(checker, entry->d_name);
    }
    (void)closedir(open);
    free(checker->known);
    checker->known = NULL;
    return STATUS_OK;
}

/* What is stored of a row, and the same in two measurements. */
static struct record stored(const struct record *row)
{
    struct record copy = *row;
    copy.seconds = 0.0;
    return copy;
}

static bool same_row(const struct record *a, const struct record *b)
{
    const struct record x = stored(a), y = stored(b);
    return memcmp(&x, &y, sizeof x) == 0;
}

static bool same_rows(const struct record *a, const struct record *const *b, size_t count)
{
    size_t i = 0;
    while (i < count && same_row(&a[i], b[i]))
        i++;
    return i == count;
}

static enum status read_merged(struct checker *checker, struct error *error)
{
    char path[DIRECTORY_PATH_SIZE];
    TRY(directory_merged(checker->directory, checker->spec, path, error));
    checker->unread.status = store_read(path, &checker->merged, &checker->unread);
    return STATUS_OK;
}

/* The merged file holds what the cells hold. */
static enum status check_merged(struct checker *checker, struct error *error)
{
    char path[DIRECTORY_PATH_SIZE];
    const struct result *merged = &checker->merged;
    size_t count = 0;
    char *manifest = NULL;
    TRY(directory_merged(checker->directory, checker->spec, path, error));
    TRY(plan_manifest(&checker->plan, &manifest, error));
    const struct record **rows = plan_rows(&checker->plan, &count);
    char *failures = plan_failures(&checker->plan, false), *refusals = plan_failures(&checker->plan, true);
    enum status status = STATUS_OK;
    if (rows == NULL || failures == NULL || refusals == NULL)
        status = no_memory(error);
    else if (checker->unread.status != STATUS_OK)
        add_problem(checker, "", checker->unread.text);
    else if (merged->count != count || !same_rows(merged->rows, rows, count)
             || strcmp(merged->spec_text, checker->spec->text) != 0 || strcmp(merged->failures, failures) != 0
             || strcmp(merged->refusals, refusals) != 0 || strcmp(merged->plugins, checker->spec->plugins) != 0
             || (merged->manifest[0] != '\0' && strcmp(merged->manifest, manifest) != 0)) /* older files have none */
        add_problem(checker, path, " is not what its cells make; `diffrate merge` makes it anew");
    free(manifest);
    free(rows);
    free(failures);
    free(refusals);
    return status;
}

/* A run that has not ended leaves cells to be measured; one that has leaves none. */
static enum status check_missing(struct checker *checker, struct error *error)
{
    char path[DIRECTORY_PATH_SIZE];
    struct stat found;
    TRY(directory_merged(checker->directory, checker->spec, path, error));
    if (stat(path, &found) == 0)
        add_problem(checker, path, " is there, but cells that it was made of are gone");
    else if (checker->check->cells == 0 && checker->check->problems == 0)
        add_problem(checker, checker->directory, " holds no cell of the experiment");
    return STATUS_OK;
}

/* Whether two sets of rows of one cell agree within their radii. */
static enum status agree(const struct checker *checker, struct record *const rows[2], size_t count, int *out,
                         struct error *error)
{
    const struct parameter_columns *parameters = &checker->spec->parameters;
    struct evidence side[2];
    const struct evidence *const sides[2] = {&side[0], &side[1]};
    const char *const names[2] = {"the stored cell", "the same measured again"};
    struct comparison comparison;
    for (int i = 0; i < 2; i++)
        side[i] = (struct evidence){
            .result = {.format = FORMAT_VERSION, .rows = rows[i], .count = count, .parameters = *parameters}};
    enum status status = compare_results(sides, names, &comparison, error);
    *out = status == STATUS_OK && comparison_agrees(&comparison);
    comparison_free(&comparison);
    return status;
}

/* Of a cell that was measured again, in each dimension: both failed, or neither did and the rows agree. */
static enum status compare_rows(const struct checker *checker, const struct item *item, const struct record *again,
                                int *out, struct error *error)
{
    const struct record *stored = item->rows;
    size_t dimensions = item->cell.dimensions.count, count = 0;
    struct record *rows[2] = {array_new(dimensions, sizeof *rows[0]), array_new(dimensions, sizeof *rows[1])};
    enum status status = rows[0] != NULL && rows[1] != NULL ? STATUS_OK : no_memory(error);
    bool alike = true;
    for (size_t i = 0; i < dimensions && status == STATUS_OK; i++) {
        bool failed[2] = {stored[i].failure[0] != '\0', again[i].failure[0] != '\0'};
        alike = alike && failed[0] == failed[1];
        if (failed[0] || failed[1])
            continue;
        rows[0][count] = stored[i];
        rows[1][count++] = again[i];
    }
    *out = alike;
    if (status == STATUS_OK && alike && count > 0)
        status = agree(checker, rows, count, out, error);
    free(rows[0]);
    free(rows[1]);
    return status;
}

/* The cells to measure again, and which of them is next. */
struct sample {
    struct checker *checker;
    size_t *items, count, next;
};

static int next_cell(void *context, size_t *item)
{
    struct sample *sample = context;
    const struct check_options *options = sample->checker->options;
    char key[CELL_KEY_SIZE];
    struct error ignored;
    if (sample->next == sample->count)
        return 0;
    *item = sample->items[sample->next++];
    if (options->begin != NULL && cell_key(&sample->checker->plan.items[*item].cell, key, &ignored) == STATUS_OK)
        options->begin(options->context, key);
    return 1;
}

static enum status measure_again(void *context, size_t item, void *rows, struct error *error)
{
    const struct checker *checker = ((struct sample *)context)->checker;
    return cell_measure(&checker->plan.items[item].cell, checker->options->threads, rows, error);
}

static enum status measured_again(void *context, size_t index, const void *rows, const struct error *cause,
                                  struct error *error)
{
    struct checker *checker = ((struct sample *)context)->checker;
    const struct item *item = &checker->plan.items[index];
    char key[CELL_KEY_SIZE];
    int agrees = 0;
    TRY(cell_key(&item->cell, key, error));
    checker->check->measured++;
    if (cause->status != STATUS_OK) {
        add_problem(checker, "measured again, it fails: ", cause->text);
        return STATUS_OK;
    }
    size_t same = 0;
    while (same < item->cell.dimensions.count && same_row(&item->rows[same], (const struct record *)rows + same))
        same++;
    if (same == item->cell.dimensions.count) {
        checker->check->identical++;
        return STATUS_OK;
    }
    TRY(compare_rows(checker, item, rows, &agrees, error));
    checker->check->agreeing += agrees ? 1 : 0;
    if (!agrees)
        add_problem(checker, "measured again, it differs beyond its radii: ", key);
    return STATUS_OK;
}

/* Of items that can be measured, those with the smallest of one random number each. */
static enum status choose_sample(struct checker *checker, struct sample *out, struct error *error)
{
    size_t n = checker->plan.count;
    *out = (struct sample){.checker = checker, .items = array_new(n, sizeof *out->items)};
    double *number = array_new(n, sizeof *number);
    enum status status = number != NULL && out->items != NULL ? STATUS_OK : no_memory(error);
    if (status == STATUS_OK)
        random_uniforms((struct random_block){random_key_of(checker->options->seed, 0), 0, 0, 0, n, 0, 1, n}, number);
    while (status == STATUS_OK && out->count < checker->options->sample) {
        size_t least = n;
        for (size_t i = 0; i < n; i++)
            if (checker->plan.items[i].rows != NULL && number[i] < 1.0 && (least == n || number[i] < number[least]))
                least = i;
        if (least == n)
            break;
        number[least] = 1.0;
        out->items[out->count++] = least;
    }
    free(number);
    return status;
}

/* One cell at a time, with all threads, in a process of its own: a plug-in that ends its process, or never ends, is a
 * problem of one cell. */
static enum status check_sample(struct checker *checker, struct error *error)
{
    struct sample sample;
    enum status status = choose_sample(checker, &sample, error);
    const struct work work = {&sample,
                              1,
                              checker->spec->dimension_count * sizeof(struct record),
                              checker->options->cell_seconds,
                              next_cell,
                              measure_again,
                              measured_again,
                              NULL};
    if (status == STATUS_OK)
        status = workers_run(&work, &checker->check->interruption, error);
    free(sample.items);
    return status;
}

enum status check_directory(const char *directory, const struct spec *spec, const struct check_options *options,
                            struct check *out, struct error *error)
{
    size_t size = 0;
    *out = (struct check){.cells = 0};
    struct checker checker = {.directory = directory, .spec = spec, .options = options, .check = out};
    checker.problems = open_memstream(&out->text, &size);
    if (checker.problems == NULL)
        return no_memory(error);
    enum status status = read_merged(&checker, error);
    if (status == STATUS_OK)
        status = read_plan(&checker, error);
    if (status == STATUS_OK)
        status = list_known(&checker, error);
    if (status == STATUS_OK)
        status = check_others(&checker, error);
    if (status == STATUS_OK && out->missing > 0)
        status = check_missing(&checker, error);
    if (status == STATUS_OK && out->missing == 0 && out->problems == 0)
        status = check_merged(&checker, error);
    if (status == STATUS_OK)
        status = check_sample(&checker, error);
    plan_free(&checker.plan);
    result_free(&checker.merged);
    free(checker.known);
    return fclose(checker.problems) == 0 ? status : no_memory(error);
}

void check_free(struct check *check)
{
    free(check->text);
    *check = (struct check){.cells = 0};
}
