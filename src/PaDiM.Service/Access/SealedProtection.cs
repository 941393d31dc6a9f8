using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using PaDiM.Service.Data;

namespace PaDiM.Service.Access;

/// <summary>
/// Protects what a browser carries through a sign-in. ASP.NET's own data protection keeps a ring of keys, which replicas
/// would have to share; this takes a secret that all of them have.
/// </summary>
internal sealed class SealedProtection(byte[] secret, string purpose = "") : IDataProtector
{
    private readonly byte[] _purpose = Encoding.UTF8.GetBytes(purpose);

    public IDataProtector CreateProtector(string purpose1) =>
        new SealedProtection(secret, $"{Encoding.UTF8.GetString(_purpose)}/{purpose1}");

    public byte[] Protect(byte[] plaintext) => SealedBox.Seal(secret, plaintext, _purpose);

    public byte[] Unprotect(byte[] protectedData) =>
        SealedBox.TryOpen(secret, protectedData, _purpose)
        ?? throw new CryptographicException("It was not sealed here.");
}
