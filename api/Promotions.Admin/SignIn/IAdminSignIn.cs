namespace Promotions.Admin.SignIn;

/// <param name="Id">Of the key, for the audit trail; never the key itself.</param>
/// <param name="Name">For people.</param>
public sealed record AdminIdentity(string Id, string Name);

/// <summary>Who a key belongs to. The API's keys stand behind it.</summary>
public interface IAdminSignIn
{
    /// <returns>Null when the key is unknown, revoked or has no admin scope. Takes the same time for each.</returns>
    Task<AdminIdentity?> FindAsync(string key, CancellationToken cancellationToken);

    /// <returns>False once the key of this id is revoked or no admin's any more. Asked before every read of every open page: cheap.</returns>
    ValueTask<bool> IsAdminAsync(string keyId, CancellationToken cancellationToken);
}
