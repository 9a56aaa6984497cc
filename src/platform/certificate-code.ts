/** Whether a code of Node says that whoever was connected to has a certificate that is not to be trusted, or no TLS. */
export const isCertificateCode = (code: string) => /CERT|SIGNATURE|SSL|TLS|ALTNAME/.test(code);
