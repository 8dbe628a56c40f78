namespace Promotions.Api.Keys;

/// <summary>What a key may do. <see cref="Admin"/> includes the others.</summary>
[Flags]
public enum KeyScopes
{
    None = 0,
    Checkout = 1,
    Admin = 2,
    Analyst = 4,
}

public static class KeyScopesText
{
    public static KeyScopes Parse(string? name) => name switch
    {
        "checkout" => KeyScopes.Checkout,
        "admin" => KeyScopes.Admin,
        "analyst" => KeyScopes.Analyst,
        _ => KeyScopes.None,
    };

    public static IReadOnlyList<string> Names(this KeyScopes scopes)
    {
        var names = new List<string>(3);
        if (scopes.HasFlag(KeyScopes.Checkout)) names.Add("checkout");
        if (scopes.HasFlag(KeyScopes.Admin)) names.Add("admin");
        if (scopes.HasFlag(KeyScopes.Analyst)) names.Add("analyst");
        return names;
    }
}
