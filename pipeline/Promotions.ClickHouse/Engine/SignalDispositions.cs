using System.Runtime.InteropServices;

namespace Promotions.ClickHouse.Engine;

/// <summary>Keeps the runtime's signal handlers across a call that would drop them: .NET turns SIGSEGV into
/// <see cref="NullReferenceException"/> and SIGFPE into <see cref="DivideByZeroException"/>, and without its handlers the process dies of either.</summary>
internal readonly struct SignalDispositions : IDisposable
{
    // Numbers of Linux; the library exists for Linux only.
    private static readonly int[] Signals = [4 /* ILL */, 5 /* TRAP */, 6 /* ABRT */, 7 /* BUS */, 8 /* FPE */, 11 /* SEGV */];
    private const int SizeMax = 256;   // struct sigaction is 152 bytes in glibc; we only carry it

    private readonly byte[] _saved;

    private SignalDispositions(byte[] saved) => _saved = saved;

    public static unsafe SignalDispositions Save()
    {
        var saved = new byte[Signals.Length * SizeMax];
        fixed (byte* start = saved)
            for (var i = 0; i < Signals.Length; i++)
                Require(SigAction(Signals[i], null, start + i * SizeMax));
        return new(saved);
    }

    public unsafe void Dispose()
    {
        fixed (byte* start = _saved)
            for (var i = 0; i < Signals.Length; i++)
                Require(SigAction(Signals[i], start + i * SizeMax, null));
    }

    private static void Require(int result)
    {
        if (result != 0) throw new InvalidOperationException("sigaction failed: " + Marshal.GetLastPInvokeErrorMessage());
    }

    [DllImport("libc", EntryPoint = "sigaction", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern unsafe int SigAction(int signal, byte* action, byte* previous);
}
