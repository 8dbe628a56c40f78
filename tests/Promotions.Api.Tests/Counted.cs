using System.Collections.Concurrent;
using System.Reflection;
using Promotions.Domain.Campaigns;
using Promotions.Ledger;

namespace Promotions.Api.Tests;

/// <summary>A port that counts its calls by name, its reader's and its campaigns' too.</summary>
public class Counted : DispatchProxy
{
    private static readonly string[] Properties = ["get_Reader", "get_Campaigns"];

    private object _inner = null!;
    private ConcurrentDictionary<string, int> _calls = null!;

    public static ILedger Over(ILedger ledger, ConcurrentDictionary<string, int> calls) => Make<ILedger>(ledger, calls);

    private static T Make<T>(T inner, ConcurrentDictionary<string, int> calls) where T : class
    {
        var made = Create<T, Counted>();
        (((Counted)(object)made)._inner, ((Counted)(object)made)._calls) = (inner, calls);
        return made;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (!Properties.Contains(targetMethod!.Name)) _calls.AddOrUpdate(targetMethod.Name, 1, static (_, count) => count + 1);
        return targetMethod.Invoke(_inner, args) switch
        {
            ILedgerReader reader => Make(reader, _calls),
            ICampaignSnapshot campaigns => Make(campaigns, _calls),
            var answer => answer,
        };
    }
}
