using Microsoft.Extensions.Logging;

namespace Promotions.Analytics;

internal static partial class AnalyticsLog
{
    [LoggerMessage(EventId = 5101, Level = LogLevel.Warning, Message = "ClickHouse is not reachable ({Reason}); its rows wait from position {Position} on, next try in {PauseSeconds} s. Decisions are not affected.")]
    public static partial void SinkWaits(ILogger logger, string reason, long position, double pauseSeconds);

    [LoggerMessage(EventId = 5102, Level = LogLevel.Error, Message = "A batch could not be sent to ClickHouse; the same batch goes again in {PauseSeconds} s.")]
    public static partial void SinkFailed(ILogger logger, Exception exception, double pauseSeconds);

    [LoggerMessage(EventId = 5103, Level = LogLevel.Warning, Message = "ClickHouse holds position {Position}, the ledger only {LedgerPosition}: it belongs to another or an older ledger and is filled again from this one.")]
    public static partial void SinkAhead(ILogger logger, long position, long ledgerPosition);

    [LoggerMessage(EventId = 5111, Level = LogLevel.Information, Message = "The embedded ClickHouse engine is ready at {Address} (process {ProcessId}).")]
    public static partial void EngineReady(ILogger logger, string address, int processId);

    [LoggerMessage(EventId = 5112, Level = LogLevel.Warning, Message = "The embedded ClickHouse engine ended with code {ExitCode}: {Words} It is started again in {PauseSeconds} s. Decisions are not affected.")]
    public static partial void EngineEnded(ILogger logger, int exitCode, string words, double pauseSeconds);
}
