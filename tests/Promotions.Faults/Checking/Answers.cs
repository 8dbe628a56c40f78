using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Promotions.Faults.Traffic;

namespace Promotions.Faults.Checking;

/// <summary>What answers say, and when two of them are the same one.</summary>
internal static partial class Answers
{
    /// <summary>Approved or in review: it holds what was asked for.</summary>
    public static bool IsGranted(Reply reply) => StatusOf(reply) is "approved" or "review";

    /// <summary>Of a redemption's answer; null where the body has none.</summary>
    public static string? StatusOf(Reply reply) => JsonNode.Parse(reply.Body)?["status"]?.GetValue<string>();

    /// <summary>The discount of a redemption's answer. Unit: minor units.</summary>
    public static long DiscountOf(Reply reply) => JsonNode.Parse(reply.Body)!["order"]!["discount"]!["amount"]!.GetValue<long>();

    /// <summary>The stable code of a problem; empty where the body is none.</summary>
    public static string ProblemOf(Reply reply)
    {
        try
        {
            return JsonNode.Parse(reply.Body)?["code"]?.GetValue<string>() ?? "";
        }
        catch (System.Text.Json.JsonException)
        {
            return "";
        }
    }

    /// <summary>Byte by byte, but for where the hold stands: that is the one thing in an answer that goes on living.</summary>
    public static bool AreSame(Reply first, Reply later) => first.Status == later.Status && Fixed(first.Body) == Fixed(later.Body);

    private static string Fixed(string body) => HoldState().Replace(body, "$1*$2");

    [GeneratedRegex("""("hold"\s*:\s*\{\s*"state"\s*:\s*")[a-z]+(")""")]
    private static partial Regex HoldState();
}
