using System.Security.Claims;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>Who makes a request, and what he may do; also a parameter of handlers.</summary>
internal sealed class Caller(string name, string? keyId, AccessScope? scope, IReadOnlyList<string>? categories)
    : ClaimsIdentity("Padim")
{
    public const string AnonymousName = "anonymous";
    private const int MaxName = 200;

    /// <summary>Everyone, where access is open.</summary>
    public static Caller Anonymous { get; } = new(AnonymousName, keyId: null, AccessScope.Admin, categories: null);

    /// <summary>Name of the key, or subject of the token: the actor of the audit trail.</summary>
    public override string Name { get; } = name.Length > MaxName ? name[..MaxName] : name;

    /// <summary>The key; null for tokens and where access is open.</summary>
    public string? KeyId => keyId;

    /// <summary>The only categories that he may see; null for all.</summary>
    public IReadOnlyList<string>? Categories => categories;

    public bool MayDo(AccessScope needed) => scope >= needed;

    public bool MaySee(string category) => categories is null || categories.Contains(category, StringComparer.Ordinal);

    public static ValueTask<Caller> BindAsync(HttpContext context) =>
        ValueTask.FromResult(
            context.User.Identity as Caller
                ?? throw new InvalidOperationException("A handler asks who calls, and its route lets everyone in.")
        );
}
