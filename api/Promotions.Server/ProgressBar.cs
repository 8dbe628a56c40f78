namespace Promotions.Server;

/// <summary>Shows how far long work is: a bar on a terminal, a line for every tenth elsewhere.</summary>
internal sealed class ProgressBar(string title, TextWriter output, bool interactive, TimeProvider time)
{
    private const int Width = 40;
    private readonly long _startedAt = time.GetTimestamp();
    private int _shown = -1;

    public void Report(double share, string detail)
    {
        var percent = (int)(Math.Clamp(share, 0, 1) * 100);
        if (percent == _shown || (!interactive && percent / 10 == _shown / 10 && _shown >= 0)) return;
        _shown = percent;
        var elapsed = time.GetElapsedTime(_startedAt);
        var filled = percent * Width / 100;
        if (interactive) output.Write($"\r{title} [{new string('#', filled)}{new string('.', Width - filled)}] {percent,3} %  {elapsed.TotalSeconds,4:0} s  {detail}   ");
        else output.WriteLine($"{title} {percent} % ({elapsed.TotalSeconds:0} s) {detail}");
        if (interactive && percent == 100) output.WriteLine();
    }
}
