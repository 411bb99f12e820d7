// SPDX-License-Identifier: Apache-2.0
// BouncyCastle's EST client against our server: EstPeer HOST:PORT TLS-CA.pem USER PASSWORD MAKER.pem
// MAKER.pem: certificate and key of the device's maker, shown to the label that wants a password, too.
// Prints a line for each thing that worked; ends with an exception at the first that did not.

import java.io.FileReader;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Collections;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

public class EstPeer {
	static X509Certificate[] anchors;
	static String server;

	static KeyPair key() throws Exception {
		KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");

		generator.initialize(new ECGenParameterSpec("secp256r1"));
		return generator.generateKeyPair();
	}

	static PKCS10CertificationRequest request(String name, KeyPair key) throws Exception {
		return new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=" + name), key.getPublic())
		    .build(new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(key.getPrivate()));
	}

	static JsseESTServiceBuilder builder() throws Exception {
		X509TrustManager[] trust =
		    JcaJceUtils.getCertPathTrustManager(Collections.singleton(new TrustAnchor(anchors[0], null)), null);

		return new JsseESTServiceBuilder(server, trust[0]);
	}

	static JsseESTServiceBuilder with(X509Certificate cert, PrivateKey key) throws Exception {
		KeyStore store = KeyStore.getInstance("PKCS12");
		KeyManagerFactory managers = KeyManagerFactory.getInstance("SunX509");

		store.load(null, null);
		store.setKeyEntry("device", key, new char[0], new X509Certificate[] { cert });
		managers.init(store, new char[0]);
		return builder().withKeyManager(managers.getKeyManagers()[0]);
	}

	static ESTService withMakers(String file) throws Exception {
		PEMParser parser = new PEMParser(new FileReader(file));
		X509CertificateHolder cert = (X509CertificateHolder) parser.readObject();
		PrivateKeyInfo key = (PrivateKeyInfo) parser.readObject();

		return with(new JcaX509CertificateConverter().getCertificate(cert), new JcaPEMKeyConverter().getPrivateKey(key))
		    .withLabel("both").build();
	}

	static X509Certificate issued(EnrollmentResponse response, KeyPair key) throws Exception {
		X509CertificateHolder holder = (X509CertificateHolder) response.getStore().getMatches(null).iterator().next();

		if (key != null && !holder.getSubjectPublicKeyInfo().equals(
		    SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded())))
			throw new Exception("a certificate for another key");
		return new JcaX509CertificateConverter().getCertificate(holder);
	}

	public static void main(String[] args) throws Exception {
		KeyPair first, second;
		JcaHttpAuthBuilder auth = new JcaHttpAuthBuilder(null, args[2], args[3].toCharArray());
		ESTService est;
		X509Certificate cert;

		Security.addProvider(new BouncyCastleProvider());
		first = key();
		second = key();
		server = args[0];
		anchors = new X509Certificate[] { new JcaX509CertificateConverter().getCertificate(
		    (X509CertificateHolder) new PEMParser(new FileReader(args[1])).readObject()) };
		est = builder().build();
		System.out.println("cacerts " + est.getCACerts().getCertificateStore().getMatches(null).size());
		System.out.println("csrattrs " + est.getCSRAttributes().hasAttributesResponse());
		cert = issued(est.simpleEnroll(false, request("bouncy", first), auth.setProvider("BC").build()), first);
		System.out.println("simpleenroll " + cert.getSubjectX500Principal());
		cert = issued(with(cert, first.getPrivate()).build().simpleEnroll(true, request("bouncy", second), null), second);
		System.out.println("simplereenroll " + cert.getSubjectX500Principal());
		cert = issued(withMakers(args[4]).simpleEnroll(false, request("made", first), auth.build()), first);
		System.out.println("certificate and password " + cert.getSubjectX500Principal());
	}
}
