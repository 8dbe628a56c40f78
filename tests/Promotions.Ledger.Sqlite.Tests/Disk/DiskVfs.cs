using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Promotions.Ledger.Sqlite.Tests.Disk;

/// <summary>SQLite over a <see cref="SimulatedDisk"/>: the system's own VFS does the work, this one stands before it, tells the disk what is written and synced, and
/// refuses what does not fit. Locks and shared memory go straight through. Files are not really synced: the simulated power loss asks nobody.</summary>
/// <remarks>Layouts are those of sqlite3.h (<c>sqlite3_vfs</c>, <c>sqlite3_io_methods</c> version 2). A file of ours is a head of three words and the system's file behind it.</remarks>
internal sealed unsafe class DiskVfs : IDisposable
{
    private const int Ok = 0;
    private const int Full = 13;

    private readonly NativeVfs* _vfs;
    private readonly NativeVfs* _system;
    private readonly IoMethods* _methods;
    private readonly GCHandle _self;
    private readonly List<string> _paths = [];
    private readonly Lock _gate = new();

    public DiskVfs(SimulatedDisk disk)
    {
        SQLitePCL.Batteries_V2.Init();
        Disk = disk;
        _self = GCHandle.Alloc(this);
        Name = "disk-" + ((nint)GCHandle.ToIntPtr(_self)).ToString("x", null);
        _system = Find(null);
        _methods = (IoMethods*)NativeMemory.AllocZeroed((nuint)sizeof(IoMethods));
        *_methods = new()
        {
            Version = 2,
            Close = &Close,
            Read = &Read,
            Write = &Write,
            Truncate = &Truncate,
            Sync = &Sync,
            FileSize = &FileSize,
            Lock = &LockFile,
            Unlock = &Unlock,
            CheckReservedLock = &CheckReservedLock,
            FileControl = &FileControl,
            SectorSize = &SectorSize,
            DeviceCharacteristics = &DeviceCharacteristics,
            ShmMap = &ShmMap,
            ShmLock = &ShmLock,
            ShmBarrier = &ShmBarrier,
            ShmUnmap = &ShmUnmap,
        };
        _vfs = (NativeVfs*)NativeMemory.AllocZeroed((nuint)sizeof(NativeVfs));
        *_vfs = *_system;   // what is not named below is the system's own
        _vfs->FileBytes = sizeof(OurFile) + _system->FileBytes;
        _vfs->Next = null;
        _vfs->Name = (byte*)Marshal.StringToCoTaskMemUTF8(Name);
        _vfs->AppData = (void*)GCHandle.ToIntPtr(_self);
        _vfs->Open = &Open;
        _vfs->Delete = &Delete;
        if (Register(_vfs, 0) != Ok) throw new InvalidOperationException("SQLite does not take the VFS.");
    }

    public SimulatedDisk Disk { get; }

    /// <summary>For <c>SqliteLedgerOptions.Vfs</c>.</summary>
    public string Name { get; }

    /// <summary>Once every connection is closed.</summary>
    public void Dispose()
    {
        _ = Unregister(_vfs);
        Marshal.FreeCoTaskMem((nint)_vfs->Name);
        NativeMemory.Free(_vfs);
        NativeMemory.Free(_methods);
        _self.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(NativeVfs* vfs, byte* name, OurFile* file, int flags, int* flagsOut)
    {
        var self = (DiskVfs)GCHandle.FromIntPtr((nint)vfs->AppData).Target!;
        file->Methods = null;
        var inner = Inner(file);
        inner->Methods = null;
        var path = name is null ? null : Marshal.PtrToStringUTF8((nint)name);
        if (path is not null) self.Disk.Opened(path);
        var code = self._system->Open(self._system, name, inner, flags, flagsOut);
        if (code != Ok) return code;
        file->Vfs = (nint)vfs->AppData;
        file->Path = -1;
        if (path is not null)
            lock (self._gate)
            {
                file->Path = self._paths.Count;
                self._paths.Add(path);
            }

        file->Methods = self._methods;
        return Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Delete(NativeVfs* vfs, byte* name, int syncFolder)
    {
        var self = (DiskVfs)GCHandle.FromIntPtr((nint)vfs->AppData).Target!;
        self.Disk.Deleted(Marshal.PtrToStringUTF8((nint)name)!);
        return self._system->Delete(self._system, name, 0);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(OurFile* file, void* bytes, int count, long offset)
    {
        if (PathOf(file, out var disk) is { } path && !disk.Write(path, offset, new(bytes, count))) return Full;
        return Inner(file)->Methods->Write(Inner(file), bytes, count, offset);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Truncate(OurFile* file, long length)
    {
        if (PathOf(file, out var disk) is { } path) disk.Truncate(path, length);
        return Inner(file)->Methods->Truncate(Inner(file), length);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sync(OurFile* file, int flags)
    {
        if (PathOf(file, out var disk) is { } path) disk.Sync(path);
        return Ok;
    }

    /// <summary>Null for files without a name: SQLite's own temporary ones, which no power loss leaves.</summary>
    private static string? PathOf(OurFile* file, out SimulatedDisk disk)
    {
        var self = (DiskVfs)GCHandle.FromIntPtr(file->Vfs).Target!;
        disk = self.Disk;
        lock (self._gate) return file->Path < 0 ? null : self._paths[(int)file->Path];
    }

    /// <summary>The system's file behind ours; it too begins with its methods.</summary>
    private static OurFile* Inner(OurFile* file) => file + 1;

    // The rest goes straight to the system's file.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(OurFile* f) => Inner(f)->Methods->Close(Inner(f));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(OurFile* f, void* to, int count, long offset) => Inner(f)->Methods->Read(Inner(f), to, count, offset);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FileSize(OurFile* f, long* size) => Inner(f)->Methods->FileSize(Inner(f), size);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int LockFile(OurFile* f, int level) => Inner(f)->Methods->Lock(Inner(f), level);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Unlock(OurFile* f, int level) => Inner(f)->Methods->Unlock(Inner(f), level);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CheckReservedLock(OurFile* f, int* held) => Inner(f)->Methods->CheckReservedLock(Inner(f), held);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FileControl(OurFile* f, int operation, void* argument) => Inner(f)->Methods->FileControl(Inner(f), operation, argument);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SectorSize(OurFile* f) => Inner(f)->Methods->SectorSize(Inner(f));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int DeviceCharacteristics(OurFile* f) => Inner(f)->Methods->DeviceCharacteristics(Inner(f));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ShmMap(OurFile* f, int page, int size, int extend, void** mapped) => Inner(f)->Methods->ShmMap(Inner(f), page, size, extend, mapped);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ShmLock(OurFile* f, int offset, int count, int flags) => Inner(f)->Methods->ShmLock(Inner(f), offset, count, flags);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ShmBarrier(OurFile* f) => Inner(f)->Methods->ShmBarrier(Inner(f));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ShmUnmap(OurFile* f, int delete) => Inner(f)->Methods->ShmUnmap(Inner(f), delete);

    [DllImport("e_sqlite3", EntryPoint = "sqlite3_vfs_find", CallingConvention = CallingConvention.Cdecl)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static extern NativeVfs* Find(byte* name);

    [DllImport("e_sqlite3", EntryPoint = "sqlite3_vfs_register", CallingConvention = CallingConvention.Cdecl)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static extern int Register(NativeVfs* vfs, int makeDefault);

    [DllImport("e_sqlite3", EntryPoint = "sqlite3_vfs_unregister", CallingConvention = CallingConvention.Cdecl)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static extern int Unregister(NativeVfs* vfs);

    [StructLayout(LayoutKind.Sequential)]
    private struct NativeVfs
    {
        public int Version;
        public int FileBytes;
        public int PathMax;
        public NativeVfs* Next;
        public byte* Name;
        public void* AppData;
        public delegate* unmanaged[Cdecl]<NativeVfs*, byte*, OurFile*, int, int*, int> Open;
        public delegate* unmanaged[Cdecl]<NativeVfs*, byte*, int, int> Delete;
        public void* Access;
        public void* FullPathname;
        public void* DlOpen;
        public void* DlError;
        public void* DlSym;
        public void* DlClose;
        public void* Randomness;
        public void* Sleep;
        public void* CurrentTime;
        public void* GetLastError;
        public void* CurrentTimeInt64;
        public void* SetSystemCall;
        public void* GetSystemCall;
        public void* NextSystemCall;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct IoMethods
    {
        public int Version;
        public delegate* unmanaged[Cdecl]<OurFile*, int> Close;
        public delegate* unmanaged[Cdecl]<OurFile*, void*, int, long, int> Read;
        public delegate* unmanaged[Cdecl]<OurFile*, void*, int, long, int> Write;
        public delegate* unmanaged[Cdecl]<OurFile*, long, int> Truncate;
        public delegate* unmanaged[Cdecl]<OurFile*, int, int> Sync;
        public delegate* unmanaged[Cdecl]<OurFile*, long*, int> FileSize;
        public delegate* unmanaged[Cdecl]<OurFile*, int, int> Lock;
        public delegate* unmanaged[Cdecl]<OurFile*, int, int> Unlock;
        public delegate* unmanaged[Cdecl]<OurFile*, int*, int> CheckReservedLock;
        public delegate* unmanaged[Cdecl]<OurFile*, int, void*, int> FileControl;
        public delegate* unmanaged[Cdecl]<OurFile*, int> SectorSize;
        public delegate* unmanaged[Cdecl]<OurFile*, int> DeviceCharacteristics;
        public delegate* unmanaged[Cdecl]<OurFile*, int, int, int, void**, int> ShmMap;
        public delegate* unmanaged[Cdecl]<OurFile*, int, int, int, int> ShmLock;
        public delegate* unmanaged[Cdecl]<OurFile*, void> ShmBarrier;
        public delegate* unmanaged[Cdecl]<OurFile*, int, int> ShmUnmap;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct OurFile
    {
        public IoMethods* Methods;
        public nint Vfs;
        public nint Path;
    }
}
