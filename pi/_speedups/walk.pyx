# cython: boundscheck=False, wraparound=False, cdivision=True
"""Walks a tree in order, never entering what is ignored; twin of _walk.py.

Folders are read whole and sorted by name; entries come depth first, a folder before what is in
it. Symbolic links are entries and are not followed. Ignore files are noticed while their folder
is read, so a folder without one costs nothing extra. POSIX only.
"""

from cpython.pythread cimport (
    PyThread_acquire_lock,
    PyThread_allocate_lock,
    PyThread_free_lock,
    PyThread_release_lock,
    WAIT_LOCK,
)
from libc.errno cimport errno
from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memchr, memcpy, strcmp, strlen

from pi._speedups.automaton cimport Automaton, matches_text
from pi._speedups.ignore cimport RuleList, Rules, check

from pi._speedups.pattern.places import levels_above, read_exclude, read_rules

cdef extern from "dirent.h" nogil:
    ctypedef struct DIR:
        pass
    struct dirent:
        char* d_name
        unsigned char d_type
    DIR* opendir(const char* path)
    dirent* readdir(DIR* folder)
    int closedir(DIR* folder)
    int DT_UNKNOWN, DT_REG, DT_DIR, DT_LNK

cdef extern from "sys/stat.h" nogil:
    struct stat_t "stat":
        unsigned int st_mode
    int lstat(const char* path, stat_t* result)
    bint S_ISREG(unsigned int mode)
    bint S_ISDIR(unsigned int mode)
    bint S_ISLNK(unsigned int mode)

cdef extern from *:
    """
    #include <string.h>
    typedef struct { char *name; size_t offset; unsigned char kind; } pi_entry;
    static int pi_compare_entries(const void *a, const void *b) {
        return strcmp(((const pi_entry *)a)->name, ((const pi_entry *)b)->name);
    }
    """
    int pi_compare_entries(const void*, const void*) noexcept nogil

cdef enum:
    FILE = 1
    FOLDER = 2
    LINK = 3
    OTHER = 4

    HAS_GIT = 1
    HAS_GITIGNORE = 2
    HAS_IGNORE = 4

    MOST_ERRORS = 1000


cdef bint batch_init(Batch* batch, int capacity) noexcept nogil:
    batch.count = 0
    batch.capacity = capacity
    batch.used = 0
    batch.room = <size_t>capacity * 64
    batch.names = <char*>malloc(batch.room)
    batch.offsets = <size_t*>malloc(capacity * sizeof(size_t))
    batch.kinds = <uint8_t*>malloc(capacity)
    return batch.names != NULL and batch.offsets != NULL and batch.kinds != NULL


cdef void batch_free(Batch* batch) noexcept nogil:
    free(batch.names)
    free(batch.offsets)
    free(batch.kinds)
    batch.names = NULL
    batch.offsets = NULL
    batch.kinds = NULL


cdef bint batch_add(Batch* batch, const char* name, size_t size, uint8_t kind) noexcept nogil:
    cdef void* moved
    cdef size_t wanted = batch.room
    while batch.used + size + 1 > wanted:
        wanted *= 2
    if wanted != batch.room:
        moved = realloc(batch.names, wanted)
        if moved == NULL:
            return False
        batch.names = <char*>moved
        batch.room = wanted
    batch.offsets[batch.count] = batch.used
    batch.kinds[batch.count] = kind
    memcpy(batch.names + batch.used, name, size)
    batch.names[batch.used + size] = 0
    batch.used += size + 1
    batch.count += 1
    return True


cdef class Walker:
    """Entries of a tree, in order. `next` may be called from several threads."""

    def __cinit__(
        self,
        bytes root,
        *,
        tuple ignore_names=(b".ignore",),
        bint use_git=True,
        bint require_git=True,
        bytes everywhere=b"",
        bint files_only=False,
        object select=None,
        bint select_path=False,
        object only=None,
        bint only_excludes=False,
        bint only_folders=False,
    ):
        self.lock = PyThread_allocate_lock()
        self.errors = []
        self.kept = []
        self.ignore_names = ignore_names
        self.use_git = use_git
        self.require_git = require_git
        self.files_only = files_only
        self.select_path = select_path
        self.only_excludes = only_excludes
        self.only_folders = only_folders
        self.select = None if select is None else Automaton(select)
        self.only = None if only is None else Automaton(only)
        self.everywhere = Rules(everywhere)
        if b"\0" in root:
            raise ValueError("a path holds no zero byte")
        if not root.endswith(b"/"):
            root += b"/"
        self.root = root
        self.path_room = 4096
        self.path = <char*>malloc(self.path_room)
        if self.lock == NULL or self.path == NULL or not self.reserve(len(root)):
            raise MemoryError
        memcpy(self.path, <const char*>root, len(root) + 1)
        self.path_size = len(root)
        self.root_size = len(root)
        for base, ignore, git, exclude, repository in levels_above(
            root, ignore_names, use_git
        ):
            self.put_level(base, ignore, git, exclude, repository)

    def __dealloc__(self):
        while self.n_frames:
            self.pop()
        free(self.frames)
        free(self.levels)
        free(self.path)
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    def put_level(self, size_t base, bytes ignore, bytes git, bytes exclude, bint repository):
        """One folder's rules, its path being the first `base` bytes; b"" for no such file."""
        cdef Level* level
        cdef Rules rules
        cdef void* moved
        if self.n_levels == self.level_room:
            moved = realloc(self.levels, (self.level_room * 2 + 8) * sizeof(Level))
            if moved == NULL:
                raise MemoryError
            self.levels = <Level*>moved
            self.level_room = self.level_room * 2 + 8
        level = &self.levels[self.n_levels]
        level.base = base
        level.ignore = NULL
        level.git = NULL
        level.exclude = NULL
        level.repository = repository
        if ignore:
            rules = Rules(ignore)
            self.kept.append(rules)
            level.ignore = &rules.list
        if git:
            rules = Rules(git)
            self.kept.append(rules)
            level.git = &rules.list
        if exclude:
            rules = Rules(exclude)
            self.kept.append(rules)
            level.exclude = &rules.list
        self.n_levels += 1
        self.n_repositories += repository

    cdef bint add_level(self, int found) noexcept:
        """The rules of the folder whose path stands in the buffer."""
        try:
            folder = self.path[:self.path_size]
            self.put_level(
                self.path_size,
                read_rules(folder, self.ignore_names) if found & HAS_IGNORE else b"",
                read_rules(folder, (b".gitignore",)) if found & HAS_GITIGNORE else b"",
                read_exclude(folder) if found & HAS_GIT else b"",
                found & HAS_GIT,
            )
        except MemoryError:
            return False
        return True

    cdef void report(self, int error) noexcept:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append((self.path[self.root_size : self.path_size], error))

    cdef bint reserve(self, size_t size) noexcept nogil:
        """Room for a path of `size` bytes and its end."""
        cdef size_t wanted = self.path_room
        cdef void* moved
        while wanted < size + 2:
            wanted *= 2
        if wanted != self.path_room:
            moved = realloc(self.path, wanted)
            if moved == NULL:
                return False
            self.path = <char*>moved
            self.path_room = wanted
        return True

    cdef int push(self) noexcept nogil:
        """Reads the folder whose path, with its slash, stands in the buffer."""
        cdef DIR* folder
        cdef dirent* item
        cdef Frame* frame
        cdef Entry* entry
        cdef void* moved
        cdef size_t used = 0
        cdef size_t room = 1024
        cdef size_t size
        cdef int entry_room = 32
        cdef int found = 0
        cdef int k
        cdef stat_t status
        cdef char* name
        if self.n_frames == self.frame_room:
            moved = realloc(self.frames, (self.frame_room * 2 + 16) * sizeof(Frame))
            if moved == NULL:
                self.failed = True
                return 0
            self.frames = <Frame*>moved
            self.frame_room = self.frame_room * 2 + 16
        frame = &self.frames[self.n_frames]
        frame.count = 0
        frame.at = 0
        frame.path_size = self.path_size
        frame.has_level = False
        folder = opendir(self.path)
        if folder == NULL:
            k = errno
            with gil:
                self.report(k)
            return 0
        frame.names = <char*>malloc(room)
        frame.entries = <Entry*>malloc(entry_room * sizeof(Entry))
        self.n_frames += 1
        if frame.names == NULL or frame.entries == NULL:
            self.failed = True
            closedir(folder)
            return 0
        while True:
            item = readdir(folder)
            if item == NULL:
                break
            name = <char*>item.d_name
            if name[0] == 46:
                if name[1] == 0 or (name[1] == 46 and name[2] == 0):
                    continue
                if self.use_git and strcmp(name, b".git") == 0:
                    found |= HAS_GIT
                elif self.use_git and strcmp(name, b".gitignore") == 0:
                    found |= HAS_GITIGNORE
                elif strlen(name) >= 6 and strcmp(name + strlen(name) - 6, b"ignore") == 0:
                    found |= HAS_IGNORE
            size = strlen(name) + 1
            if used + size > room:
                while used + size > room:
                    room *= 2
                moved = realloc(frame.names, room)
                if moved == NULL:
                    self.failed = True
                    break
                frame.names = <char*>moved
            if frame.count == entry_room:
                moved = realloc(frame.entries, entry_room * 2 * sizeof(Entry))
                if moved == NULL:
                    self.failed = True
                    break
                frame.entries = <Entry*>moved
                entry_room *= 2
            memcpy(frame.names + used, name, size)
            entry = &frame.entries[frame.count]
            entry.offset = used
            if item.d_type == DT_REG:
                entry.kind = FILE
            elif item.d_type == DT_DIR:
                entry.kind = FOLDER
            elif item.d_type == DT_LNK:
                entry.kind = LINK
            elif item.d_type == DT_UNKNOWN:
                entry.kind = 0
            else:
                entry.kind = OTHER
            used += size
            frame.count += 1
        closedir(folder)
        for k in range(frame.count):
            entry = &frame.entries[k]
            entry.name = frame.names + entry.offset
            if entry.kind == 0:  # some file systems do not say
                size = strlen(entry.name)
                entry.kind = OTHER
                if self.reserve(self.path_size + size):
                    memcpy(self.path + self.path_size, entry.name, size + 1)
                    if lstat(self.path, &status) == 0:
                        if S_ISREG(status.st_mode):
                            entry.kind = FILE
                        elif S_ISDIR(status.st_mode):
                            entry.kind = FOLDER
                        elif S_ISLNK(status.st_mode):
                            entry.kind = LINK
                    self.path[self.path_size] = 0
        if frame.count > 1:
            qsort(frame.entries, frame.count, sizeof(Entry), pi_compare_entries)
        if found:
            frame.has_level = True
            with gil:
                if not self.add_level(found):
                    frame.has_level = False
                    self.failed = True
        return 1

    cdef void pop(self) noexcept nogil:
        cdef Frame* frame
        self.n_frames -= 1
        frame = &self.frames[self.n_frames]
        free(frame.names)
        free(frame.entries)
        if frame.has_level:
            self.n_levels -= 1
            self.n_repositories -= self.levels[self.n_levels].repository

    cdef bint decide(self, size_t name_at, bint folder) noexcept nogil:
        """Whether the entry in the path buffer is ignored."""
        cdef const uint8_t* path = <const uint8_t*>self.path
        cdef size_t size = self.path_size
        cdef int k, said
        cdef int by_git = 0
        cdef int by_exclude = 0
        cdef bint in_repository = False
        cdef bint git
        cdef size_t base = self.root_size
        cdef Level* level
        if self.only is not None and (folder or not self.only_folders):
            if matches_text(self.only.cache, path + self.root_size, path + size):
                return self.only_excludes
        if self.only is not None and not self.only_excludes and not folder:
            return True
        git = self.use_git and (self.n_repositories > 0 or not self.require_git)
        for k in range(self.n_levels - 1, -1, -1):
            level = &self.levels[k]
            if level.ignore != NULL:
                said = check(
                    level.ignore, path + level.base, size - level.base, name_at - level.base,
                    folder,
                )
                if said:
                    return said > 0
            if git and not in_repository:
                if by_git == 0 and level.git != NULL:
                    by_git = check(
                        level.git, path + level.base, size - level.base, name_at - level.base,
                        folder,
                    )
                if by_exclude == 0 and level.exclude != NULL:
                    by_exclude = check(
                        level.exclude, path + level.base, size - level.base,
                        name_at - level.base, folder,
                    )
                if level.repository:
                    # A nested repository is not governed by the one around it.
                    in_repository = True
                    base = level.base
        if by_git:
            return by_git > 0
        if by_exclude:
            return by_exclude > 0
        if git and self.everywhere.list.count:
            return check(
                &self.everywhere.list, path + base, size - base, name_at - base, folder
            ) > 0
        return False

    cdef int next_entry(self, size_t* name_at, uint8_t* kind) noexcept nogil:
        """Puts the next entry's path into the buffer; 0 at the end."""
        cdef Frame* frame
        cdef Entry* entry
        cdef size_t size
        if not self.started:
            self.started = True
            self.push()
        while self.n_frames and not self.failed and not self.stopped:
            frame = &self.frames[self.n_frames - 1]
            if frame.at == frame.count:
                self.pop()
                continue
            entry = &frame.entries[frame.at]
            frame.at += 1
            size = strlen(entry.name)
            if not self.reserve(frame.path_size + size):
                self.failed = True
                return 0
            memcpy(self.path + frame.path_size, entry.name, size + 1)
            self.path_size = frame.path_size + size
            if self.decide(frame.path_size, entry.kind == FOLDER):
                continue
            name_at[0] = frame.path_size
            kind[0] = entry.kind
            return 1
        return 0

    cdef int fill(self, Batch* batch, int most) noexcept nogil:
        """Adds entries until there are `most`; 0 at the end of the tree."""
        cdef size_t name_at = 0
        cdef uint8_t kind = 0
        cdef size_t begin
        cdef bint wanted
        while batch.count < most:
            if not self.next_entry(&name_at, &kind):
                return 0
            wanted = kind == FILE or not self.files_only
            if wanted and self.select is not None:
                begin = 0 if self.select_path else name_at
                wanted = matches_text(
                    self.select.cache,
                    <const uint8_t*>self.path + begin,
                    <const uint8_t*>self.path + self.path_size,
                )
            if wanted:
                if not batch_add(
                    batch, self.path + self.root_size, self.path_size - self.root_size, kind
                ):
                    self.failed = True
                    return 0
            if kind == FOLDER:
                self.path[self.path_size] = 47
                self.path[self.path_size + 1] = 0
                self.path_size += 1
                self.push()
        return 1

    def next(self, int count):
        """Up to `count` more entries, (path below the root, kind); an empty list at the end."""
        cdef Batch batch
        cdef int k
        cdef size_t size
        if count < 1:
            raise ValueError("at least one entry must be asked for")
        if not batch_init(&batch, count):
            batch_free(&batch)
            raise MemoryError
        try:
            with nogil:
                PyThread_acquire_lock(self.lock, WAIT_LOCK)
                self.fill(&batch, count)
                PyThread_release_lock(self.lock)
            if self.failed:
                raise MemoryError
            out = []
            for k in range(batch.count):
                size = (
                    batch.offsets[k + 1] if k + 1 < batch.count else batch.used
                ) - batch.offsets[k] - 1
                out.append((batch.names[batch.offsets[k] : batch.offsets[k] + size], batch.kinds[k]))
            return out
        finally:
            batch_free(&batch)

    def stop(self):
        """Makes every call of `next` end soon; for another thread."""
        self.stopped = True
