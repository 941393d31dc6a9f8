using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Options;

namespace PaDiM.Service.Access;

/// <summary>
/// Keeps the keys of ASP.NET's data protection in memory. Authentication brings it along for cookies of its
/// own kind, which this service does not use; by default it would write a key into the home directory at every first start.
/// </summary>
internal sealed class ForgottenKeys : IXmlRepository, IConfigureOptions<KeyManagementOptions>
{
    private readonly Lock _adding = new();
    private readonly List<XElement> _keys = [];

    public void Configure(KeyManagementOptions options)
    {
        options.XmlRepository = this;
        options.XmlEncryptor = new NullXmlEncryptor();
    }

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        lock (_adding)
            return [.. _keys];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        lock (_adding)
            _keys.Add(element);
    }
}
