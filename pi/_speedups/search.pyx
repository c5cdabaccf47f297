# cython: boundscheck=False, wraparound=False, cdivision=True
"""Searches a tree for lines that match, on as many cores as there are callers; twin of _search.py.

Threads take batches of files from the walk and search them without the interpreter; the results
are put in the order of the tree when they are asked for. POSIX only.
"""

from cpython.pythread cimport (
    PyThread_acquire_lock,
    PyThread_allocate_lock,
    PyThread_free_lock,
    PyThread_release_lock,
    WAIT_LOCK,
)
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, strlen

from pi._speedups.scan cimport (
    Found,
    Scan,
    Searcher,
    end_scan,
    found_free,
    lines_of,
    scan_path,
)
from pi._speedups.walk cimport Batch, Walker, batch_free, batch_init

cdef enum:
    BATCH = 64


# A batch of files and what was found in them.
cdef struct Task:
    Batch batch
    Found found
    int* errors
    bint done


cdef class TreeSearch:
    """One search of a tree. Threads share the work by calling `work`; then `results` is asked."""

    cdef Walker walker
    cdef Searcher searcher
    cdef Task** tasks
    cdef int n_tasks
    cdef int room
    cdef int settled          # tasks before this one are done
    cdef size_t settled_lines # matching lines in them
    cdef size_t most
    cdef size_t after
    cdef void* lock
    cdef volatile uint8_t stopped
    cdef bint failed
    cdef bint exhausted
    cdef size_t n_files
    cdef bytes root

    def __cinit__(
        self, query, Walker walker, *,
        size_t most, size_t before=0, size_t after=0, size_t keep=1504,
    ):
        self.lock = PyThread_allocate_lock()
        if self.lock == NULL:
            raise MemoryError
        self.walker = walker
        self.root = walker.root
        # One more than asked, to know whether there is more.
        self.searcher = Searcher(query, most + 1, before, after, keep)
        self.most = most
        self.after = after

    def __dealloc__(self):
        cdef int k
        for k in range(self.n_tasks):
            batch_free(&self.tasks[k].batch)
            found_free(&self.tasks[k].found)
            free(self.tasks[k].errors)
            free(self.tasks[k])
        free(self.tasks)
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    cdef Task* take(self) noexcept nogil:
        """The next batch of files, NULL when there is none; the caller holds the lock."""
        cdef void* moved
        cdef Task* task
        if self.stopped or self.failed or self.exhausted:
            return NULL
        if self.n_tasks == self.room:
            moved = realloc(self.tasks, (self.room * 2 + 64) * sizeof(Task*))
            if moved == NULL:
                self.failed = True
                return NULL
            self.tasks = <Task**>moved
            self.room = self.room * 2 + 64
        task = <Task*>malloc(sizeof(Task))
        if task == NULL:
            self.failed = True
            return NULL
        task.found = Found(NULL, 0, 0, NULL, 0, 0, 0, False)
        task.done = False
        task.errors = NULL
        # The first batches are small: a limit is often reached at once.
        cdef int size = BATCH if self.n_tasks > 8 else 8
        if batch_init(&task.batch, size):
            if not self.walker.fill(&task.batch, size):
                self.exhausted = True
            task.errors = <int*>malloc((task.batch.count + 1) * sizeof(int))
        if task.errors == NULL or self.walker.failed:
            batch_free(&task.batch)
            free(task.errors)
            free(task)
            self.failed = True
            return NULL
        if task.batch.count == 0:
            batch_free(&task.batch)
            free(task.errors)
            free(task)
            return NULL
        self.tasks[self.n_tasks] = task
        self.n_tasks += 1
        return task

    cdef void settle(self) noexcept nogil:
        """Stops the search once the batches done in order have enough; the lock is held."""
        while self.settled < self.n_tasks and self.tasks[self.settled].done:
            self.settled_lines += self.tasks[self.settled].found.matched
            self.settled += 1
        if self.settled_lines > self.most:
            self.stopped = 1
            self.walker.stopped = True

    def work(self):
        """Takes batches of files and searches them until there are none left."""
        cdef Scan scan
        cdef Task* task
        cdef int k, result
        cdef size_t root_size = len(self.root)
        cdef size_t size
        cdef size_t room = root_size + 4096
        cdef const char* root = self.root
        cdef char* path
        cdef void* moved
        if not self.searcher.begin(&scan, &self.stopped):
            raise MemoryError
        path = <char*>malloc(room)
        if path == NULL:
            end_scan(&scan)
            raise MemoryError
        memcpy(path, root, root_size)
        with nogil:
            while True:
                PyThread_acquire_lock(self.lock, WAIT_LOCK)
                task = self.take()
                PyThread_release_lock(self.lock)
                if task == NULL:
                    break
                for k in range(task.batch.count):
                    task.errors[k] = 0
                for k in range(task.batch.count):
                    if self.stopped:
                        break
                    size = strlen(task.batch.names + task.batch.offsets[k])
                    if root_size + size + 1 > room:
                        room = root_size + size + 4096
                        moved = realloc(path, room)
                        if moved == NULL:
                            self.failed = True
                            break
                        path = <char*>moved
                    memcpy(
                        path + root_size, task.batch.names + task.batch.offsets[k], size + 1
                    )
                    result = scan_path(&scan, &task.found, path, k)
                    if result < 0 or task.found.failed:
                        self.failed = True
                        break
                    task.errors[k] = result
                    # Enough in this batch alone: what follows it in the batch cannot be asked for.
                    if task.found.matched > self.most:
                        break
                PyThread_acquire_lock(self.lock, WAIT_LOCK)
                task.done = True
                self.n_files += task.batch.count
                self.settle()
                PyThread_release_lock(self.lock)
            free(path)
            if scan.cache != NULL and scan.cache.failed:
                self.failed = True
            end_scan(&scan)
        if self.failed:
            raise MemoryError

    def stop(self):
        """Makes every `work` return soon; `results` then gives what was found so far."""
        self.stopped = 1
        self.walker.stopped = True

    def results(self):
        """(files, whether there are more matching lines than asked for), once all work is over.

        files: (path below the root, lines) in the order of the tree; lines: (number, matched,
        text, whether cut). The context after the last line asked for is complete.
        """
        cdef int t
        cdef size_t k, start
        cdef size_t left = self.most
        cdef Task* task
        cdef Found* found
        cdef bint more = False
        cdef list out = []
        for t in range(self.n_tasks):
            task = self.tasks[t]
            if not task.done or more:
                break
            found = &task.found
            start = 0
            while start < found.count and not more:
                k = start
                while k < found.count and found.lines[k].file == found.lines[start].file:
                    k += 1
                lines = lines_of(found, start, k)
                count = sum([line[1] for line in lines])
                if count > left:
                    more = True
                    lines = trim(lines, left, self.after)
                    left = 0
                else:
                    left -= count
                if lines:
                    name = task.batch.names + task.batch.offsets[found.lines[start].file]
                    out.append((<bytes>name, lines))
                start = k
        return out, more

    @property
    def errors(self):
        """(path below the root, errno) of what could not be read, files and folders."""
        cdef int t, k
        cdef list out = list(self.walker.errors)
        for t in range(self.n_tasks):
            if self.tasks[t].done:
                for k in range(self.tasks[t].batch.count):
                    if self.tasks[t].errors[k]:
                        name = self.tasks[t].batch.names + self.tasks[t].batch.offsets[k]
                        out.append((<bytes>name, self.tasks[t].errors[k]))
        return out

    @property
    def files(self):
        """How many files were looked at."""
        return self.n_files


cdef list trim(list lines, size_t most, size_t after):
    """The first `most` matching lines, with the context after the last of them."""
    cdef list out = []
    last = 0
    if most == 0:
        return out
    for number, matched, text, cut in lines:
        if most:
            out.append((number, matched, text, cut))
            if matched:
                most -= 1
                last = number
        elif number <= last + after:
            out.append((number, False, text, cut))
    return out
