using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Promotions.Ledger;

namespace Promotions.Server.Scaled;

/// <summary>The keys that sign-ins are sealed with, in the ledger's settings: any dashboard process opens what another sealed.</summary>
internal sealed class SettingsKeyRing(ISettingsStore settings) : IXmlRepository
{
    private const string Scope = "data-protection";

    public IReadOnlyCollection<XElement> GetAllElements() => [.. settings.List(Scope).Select(setting => XElement.Parse(setting.Value))];

    // Called once in some months, on no request's path; the interface has no asynchronous form.
    public void StoreElement(XElement element, string friendlyName) =>
        settings.PutAsync(Scope, friendlyName, element.ToString(SaveOptions.DisableFormatting), Actor.System, CancellationToken.None).GetAwaiter().GetResult();
}
