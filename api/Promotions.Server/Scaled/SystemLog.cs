namespace Promotions.Server.Scaled;

/// <summary>Log lines of what the System page and scrapes are fed by. Event ids 9020 and up.</summary>
internal static partial class SystemLog
{
    [LoggerMessage(EventId = 9020, Level = LogLevel.Warning, Message = "{Topic} cannot be read, so the System page shows what was last known; decisions are not affected")]
    public static partial void MembersUnread(ILogger logger, Exception fault, string topic);

    [LoggerMessage(EventId = 9021, Level = LogLevel.Warning, Message = "How far sequencer and sinks are cannot be read from the ledger")]
    public static partial void LedgerUnseen(ILogger logger, Exception fault);
}
