using System.Globalization;

namespace Promotions.Server;

/// <summary>The one folder that holds everything: the ledger, feature state, ClickHouse's files, keys, logs.</summary>
/// <exception cref="StartRefusedException">The folder cannot be used by this build; the message says why and what to do.</exception>
internal sealed class DataFolder
{
    /// <summary>Raised when an older build could no longer read what this one writes.</summary>
    private const int Version = 1;

    private DataFolder(string root) => Root = root;

    public string Root { get; }
    public string LedgerFile => Path.Combine(Root, "ledger", "ledger.db");
    public string FeatureState => Path.Combine(Root, "features");
    public string ClickHouse => Path.Combine(Root, "clickhouse");
    public string Keys => Path.Combine(Root, "keys");
    public string Run => Path.Combine(Root, "run");
    /// <summary>Holds the end of the demonstration's past while that is being loaded.</summary>
    public string DemoMark => Path.Combine(Root, "demo-loading");
    public string PidFile => Path.Combine(Run, "server.pid");
    public string ReadyFile => Path.Combine(Run, "ready");

    public static DataFolder Open(string path)
    {
        var folder = new DataFolder(Path.GetFullPath(path));
        try
        {
            foreach (var needed in (string[])[folder.Root, Path.GetDirectoryName(folder.LedgerFile)!, folder.Run, folder.Keys])
                Directory.CreateDirectory(needed);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder.Keys, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"The data folder {folder.Root} cannot be written: {e.Message} Set PROMOTIONS_DATA to a folder of yours.", e);
        }

        var stamp = Path.Combine(folder.Root, "version");
        if (!File.Exists(stamp))
        {
            File.WriteAllText(stamp, Version.ToString(CultureInfo.InvariantCulture) + "\n");
        }
        else if (!int.TryParse(File.ReadAllText(stamp).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var found) || found > Version)
        {
            throw new StartRefusedException(
                $"The data folder {folder.Root} was written by a newer version of Promotions ({File.ReadAllText(stamp).Trim()}; this build knows {Version}). "
                + "Start that version, or set PROMOTIONS_DATA to another folder. Nothing was changed.");
        }

        return folder;
    }

    /// <summary>Claims the folder for this process: a second one would write the same files.</summary>
    public IDisposable Claim()
    {
        try
        {
            var file = new FileStream(PidFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
            file.SetLength(0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            file.Flush();
            File.Delete(ReadyFile);
            return file;
        }
        catch (IOException e)
        {
            throw new StartRefusedException($"The data folder {Root} is in use by another process ({PidFile}). Stop it with ./deploy/down, or set PROMOTIONS_DATA.", e);
        }
    }

    public void MarkReady() => File.WriteAllText(ReadyFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
}

/// <summary>The system cannot start for a reason that the operator can mend; the message is the whole story.</summary>
internal sealed class StartRefusedException : Exception
{
    public StartRefusedException() { }
    public StartRefusedException(string message) : base(message) { }
    public StartRefusedException(string message, Exception inner) : base(message, inner) { }
}
