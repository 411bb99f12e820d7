// SPDX-License-Identifier: Apache-2.0
// Full PKI Requests (RFC 5272) made and read by BouncyCastle: CmcPeer HOST:PORT TLS-CA.pem CA.pem USER PASSWORD
// Prints a line for each thing that worked; ends with an exception at the first that did not.

import java.io.FileReader;
import java.io.InputStream;
import java.math.BigInteger;
import java.net.URL;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.cmc.BodyPartID;
import org.bouncycastle.asn1.cmc.CMCObjectIdentifiers;
import org.bouncycastle.asn1.cmc.CMCStatus;
import org.bouncycastle.asn1.cmc.CMCStatusInfoV2;
import org.bouncycastle.asn1.cmc.CertificationRequest;
import org.bouncycastle.asn1.cmc.GetCert;
import org.bouncycastle.asn1.cmc.OtherMsg;
import org.bouncycastle.asn1.cmc.PKIData;
import org.bouncycastle.asn1.cmc.PKIResponse;
import org.bouncycastle.asn1.cmc.RevokeRequest;
import org.bouncycastle.asn1.cmc.TaggedAttribute;
import org.bouncycastle.asn1.cmc.TaggedCertificationRequest;
import org.bouncycastle.asn1.cmc.TaggedContentInfo;
import org.bouncycastle.asn1.cmc.TaggedRequest;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.crmf.jcajce.JcaCertificateRequestMessageBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cmc.SimplePKIResponse;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

public class CmcPeer {
	static SSLContext tls;
	static String url, password;
	static X509CertificateHolder ca;
	static byte[] nonce = { 1, 2, 3, 4, 5, 6, 7, 8 };
	static BigInteger transaction = BigInteger.valueOf(20261122);

	static KeyPair key() throws Exception {
		KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");

		generator.initialize(new ECGenParameterSpec("secp256r1"));
		return generator.generateKeyPair();
	}

	static ContentSigner signer(KeyPair key) throws Exception {
		return new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(key.getPrivate());
	}

	static X509CertificateHolder load(String path) throws Exception {
		return (X509CertificateHolder) new PEMParser(new FileReader(path)).readObject();
	}

	static TaggedAttribute control(long id, ASN1ObjectIdentifier type, ASN1Encodable value) {
		return new TaggedAttribute(new BodyPartID(id), type, new DERSet(value));
	}

	static TaggedRequest pkcs10(long id, String name, KeyPair key) throws Exception {
		byte[] csr = new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=" + name), key.getPublic())
		    .build(signer(key)).getEncoded();

		return new TaggedRequest(
		    new TaggedCertificationRequest(new BodyPartID(id), CertificationRequest.getInstance(csr)));
	}

	static TaggedRequest crmf(long id, String name, KeyPair key) throws Exception {
		return new TaggedRequest(new JcaCertificateRequestMessageBuilder(BigInteger.valueOf(id))
		    .setPublicKey(key.getPublic())
		    .setSubject(new X500Name("CN=" + name))
		    .setProofOfPossessionSigningKeySigner(signer(key))
		    .build().toASN1Structure());
	}

	/** Signed with the key itself, by its identifier, where cert is null. */
	static byte[] message(List<TaggedAttribute> controls, TaggedRequest request, KeyPair key, X509CertificateHolder cert)
	    throws Exception {
		TaggedRequest[] requests = request == null ? new TaggedRequest[0] : new TaggedRequest[] { request };
		PKIData data = new PKIData(controls.toArray(new TaggedAttribute[0]), requests,
		    new TaggedContentInfo[0], new OtherMsg[0]);
		CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
		JcaSignerInfoGeneratorBuilder info = new JcaSignerInfoGeneratorBuilder(
		    new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());

		if (cert == null) {
			generator.addSignerInfoGenerator(info.build(signer(key), new JcaX509ExtensionUtils()
			    .createSubjectKeyIdentifier(key.getPublic()).getKeyIdentifier()));
		} else {
			generator.addSignerInfoGenerator(
			    info.build(signer(key), new JcaX509CertificateConverter().getCertificate(cert)));
			generator.addCertificate(cert);
		}
		return generator.generate(
		    new CMSProcessableByteArray(CMCObjectIdentifiers.id_cct_PKIData, data.getEncoded()), true).getEncoded();
	}

	static byte[] post(byte[] message, int status, String type) throws Exception {
		HttpsURLConnection http = (HttpsURLConnection) new URL(url).openConnection();

		http.setSSLSocketFactory(tls.getSocketFactory());
		http.setDoOutput(true);
		http.setRequestProperty("Content-Type", "application/pkcs7-mime; smime-type=CMC-request");
		http.setRequestProperty("Content-Transfer-Encoding", "base64");
		http.setRequestProperty("Authorization", "Basic " + Base64.getEncoder().encodeToString(password.getBytes()));
		http.getOutputStream().write(Base64.getMimeEncoder().encode(message));
		if (http.getResponseCode() != status)
			throw new Exception("HTTP " + http.getResponseCode());
		if (!http.getContentType().equals("application/pkcs7-mime; smime-type=" + type))
			throw new Exception(http.getContentType());
		try (InputStream in = status < 400 ? http.getInputStream() : http.getErrorStream()) {
			return Base64.getMimeDecoder().decode(in.readAllBytes());
		}
	}

	/** Verified: signed by whom the CA has certified, and echoing what was sent. */
	static CMSSignedData full(byte[] message, int http) throws Exception {
		CMSSignedData signed = new CMSSignedData(post(message, http, "CMC-response"));
		SignerInformation signer = signed.getSignerInfos().iterator().next();
		X509CertificateHolder cert =
		    (X509CertificateHolder) signed.getCertificates().getMatches(signer.getSID()).iterator().next();

		if (!signed.getSignedContentTypeOID().equals(CMCObjectIdentifiers.id_cct_PKIResponse.getId()))
			throw new Exception(signed.getSignedContentTypeOID());
		if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(cert)))
			throw new Exception("the response's signature");
		if (!cert.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(ca)))
			throw new Exception("the response is not by the CA's authority");
		return signed;
	}

	static ASN1Encodable value(CMSSignedData signed, ASN1ObjectIdentifier type) throws Exception {
		PKIResponse response = PKIResponse.getInstance((byte[]) signed.getSignedContent().getContent());

		for (ASN1Encodable control : response.getControlSequence())
			if (TaggedAttribute.getInstance(control).getAttrType().equals(type))
				return TaggedAttribute.getInstance(control).getAttrValues().getObjectAt(0);
		throw new Exception("no control " + type);
	}

	static void expect(CMSSignedData signed, CMCStatus status, long body) throws Exception {
		CMCStatusInfoV2 info = CMCStatusInfoV2.getInstance(value(signed, CMCObjectIdentifiers.id_cmc_statusInfoV2));

		if (!info.getcMCStatus().equals(status))
			throw new Exception(info.getcMCStatus() + ": " + info.getStatusStringUTF8());
		if (!BodyPartID.getInstance(info.getBodyList()[0].toASN1Primitive()).equals(new BodyPartID(body)))
			throw new Exception("a status of another part");
		if (!ASN1Integer.getInstance(value(signed, CMCObjectIdentifiers.id_cmc_transactionId)).getValue().equals(transaction))
			throw new Exception("another transaction");
		if (!value(signed, CMCObjectIdentifiers.id_cmc_recipientNonce).equals(new DEROctetString(nonce)))
			throw new Exception("another nonce");
	}

	static X509CertificateHolder issued(Iterable<X509CertificateHolder> certs, KeyPair key) throws Exception {
		for (X509CertificateHolder cert : certs)
			if (cert.getSubjectPublicKeyInfo().equals(SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()))) {
				if (!cert.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(ca)))
					throw new Exception("not by the CA");
				return cert;
			}
		throw new Exception("no certificate for the key");
	}

	static List<TaggedAttribute> controls(TaggedAttribute... more) {
		List<TaggedAttribute> list = new ArrayList<>();

		list.add(control(1, CMCObjectIdentifiers.id_cmc_transactionId, new ASN1Integer(transaction)));
		list.add(control(2, CMCObjectIdentifiers.id_cmc_senderNonce, new DEROctetString(nonce)));
		Collections.addAll(list, more);
		return list;
	}

	static void trust(String path) throws Exception {
		KeyStore store = KeyStore.getInstance("PKCS12");
		TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");

		store.load(null, null);
		store.setCertificateEntry("ca", new JcaX509CertificateConverter().getCertificate(load(path)));
		trust.init(store);
		tls = SSLContext.getInstance("TLS");
		tls.init(null, trust.getTrustManagers(), null);
	}

	public static void main(String[] args) throws Exception {
		KeyPair first, second, third;
		CMSSignedData answer;
		X509CertificateHolder cert, renewed;
		RevokeRequest revoke;

		Security.addProvider(new BouncyCastleProvider());
		url = "https://" + args[0] + "/.well-known/est/fullcmc";
		trust(args[1]);
		ca = load(args[2]);
		password = args[3] + ":" + args[4];
		first = key();
		second = key();
		third = key();

		answer = full(message(controls(), pkcs10(9, "bouncy", first), first, null), 200);
		expect(answer, CMCStatus.success, 9);
		cert = issued(answer.getCertificates().getMatches(null), first);
		System.out.println("enrolled " + cert.getSubject());

		SimplePKIResponse simple = new SimplePKIResponse(
		    post(message(Collections.emptyList(), crmf(9, "bouncy-crmf", second), second, null), 200, "certs-only"));
		System.out.println("CRMF " + issued(simple.getCertificates().getMatches(null), second).getSubject());

		password = ":";
		answer = full(message(controls(), pkcs10(9, "bouncy", third), first, cert), 200);
		expect(answer, CMCStatus.success, 9);
		renewed = issued(answer.getCertificates().getMatches(null), third);
		System.out.println("renewed " + renewed.getSubject());

		GetCert get = new GetCert(new GeneralName(ca.getSubject()), cert.getSerialNumber());
		answer = full(message(controls(control(5, CMCObjectIdentifiers.id_cmc_getCert, get)), null, third, renewed), 200);
		expect(answer, CMCStatus.success, 5);
		System.out.println("getCert " + issued(answer.getCertificates().getMatches(null), first).getSubject());

		revoke = new RevokeRequest(ca.getSubject(), new ASN1Integer(renewed.getSerialNumber()),
		    CRLReason.lookup(CRLReason.superseded), null, null, new DERUTF8String("by BouncyCastle"));
		answer = full(message(controls(control(5, CMCObjectIdentifiers.id_cmc_revokeRequest, revoke)), null, third, renewed), 200);
		expect(answer, CMCStatus.success, 5);
		System.out.println("revoked " + renewed.getSubject());

		answer = full(message(controls(), pkcs10(9, "bouncy", key()), third, renewed), 403);
		expect(answer, CMCStatus.failed, 9);
		System.out.println("refused " + renewed.getSubject());
	}
}
