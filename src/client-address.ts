/** Whose request it is, behind the proxies that this server trusts. */
import { BlockList, isIP } from "node:net";
import { failure } from "./errors";

/**
 * @param trusted addresses and networks of proxies, separated by commas: "127.0.0.1, 10.0.0.0/8"
 * @returns the client's address, from the connection's and the X-Forwarded-For that came with it: the last one that is
 * no proxy of ours. Whoever is not trusted can't name itself otherwise.
 * @throws Failure `wrong_setting` for what is no address
 */
export function createClientAddress(
  trusted: string,
): (peer: string | null, forwardedFor: string | null) => string | null {
  const proxies = new BlockList();
  const entries = trusted
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);
  for (const entry of entries) addEntry(proxies, entry);
  const isTrusted = (address: string) => proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

  return (peer, forwardedFor) => {
    const connected = peer === null ? null : unmapped(peer);
    if (entries.length === 0 || connected === null || forwardedFor === null || !isTrusted(connected))
      return connected;
    let client = connected;
    for (const hop of forwardedFor.split(",").reverse()) {
      const address = bare(hop);
      // What is no address was not written by a proxy: what is in front of it can't be believed.
      if (isIP(address) === 0) break;
      client = address;
      if (!isTrusted(address)) break;
    }
    return client;
  };
}

/** Without brackets and port, too. */
function bare(text: string): string {
  const trimmed = text.trim();
  const bracketed = /^\[([^\]]+)\](:\d+)?$/.exec(trimmed)?.[1];
  const withoutPort = bracketed ?? (/^[\d.]+:\d+$/.test(trimmed) ? trimmed.replace(/:\d+$/, "") : trimmed);
  return unmapped(withoutPort);
}

/** Without the IPv6 form of an IPv4 address. */
function unmapped(address: string): string {
  // Asked of every connection, few of which have one.
  return address.includes(".") && address[0] === ":" ? address.replace(/^::ffff:/i, "") : address;
}

function addEntry(proxies: BlockList, entry: string): void {
  const [address = "", bits, ...rest] = entry.split("/");
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  if (
    version === 0 ||
    rest.length > 0 ||
    (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  ) {
    throw failure.setting(
      "CORRAL_TRUSTED_PROXIES",
      entry,
      "addresses and networks such as 127.0.0.1 or 10.0.0.0/8, separated by commas",
    );
  }
  proxies.addSubnet(address, Number(bits ?? most), version === 6 ? "ipv6" : "ipv4");
}
