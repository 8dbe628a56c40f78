using Microsoft.Extensions.Logging;

namespace Promotions.Api.Http;

/// <summary>Everything this project logs. Ids 4000 to 4099.</summary>
internal static partial class ApiLog
{
    [LoggerMessage(EventId = 4001, Level = LogLevel.Error, Message = "The ledger failed during {Operation} (request {RequestId})")]
    public static partial void LedgerFault(ILogger logger, Exception exception, string operation, string requestId);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Warning, Message = "Analytics did not answer {Operation} (request {RequestId})")]
    public static partial void ResultsAway(ILogger logger, Exception exception, string operation, string requestId);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Warning, Message = "No answer in time to {Operation} (request {RequestId})")]
    public static partial void TimedOut(ILogger logger, Exception exception, string operation, string requestId);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Error, Message = "{Operation} broke (request {RequestId})")]
    public static partial void Broken(ILogger logger, Exception exception, string operation, string requestId);

    [LoggerMessage(EventId = 4010, Level = LogLevel.Information, Message = "Operation {OperationId} goes on at {Done} of {Total}")]
    public static partial void OperationResumed(ILogger logger, string operationId, long done, long total);

    [LoggerMessage(EventId = 4011, Level = LogLevel.Warning, Message = "Operation {OperationId} waits: the ledger failed")]
    public static partial void OperationWaits(ILogger logger, Exception exception, string operationId);

    [LoggerMessage(EventId = 4012, Level = LogLevel.Error, Message = "Operation {OperationId} broke")]
    public static partial void OperationBroke(ILogger logger, Exception exception, string operationId);

    [LoggerMessage(EventId = 4020, Level = LogLevel.Warning, Message = "Readiness check {Check} failed")]
    public static partial void ReadinessCheckFailed(ILogger logger, Exception exception, string check);
}
